"""A fake carrier that takes messages like a real one and can be broken on purpose, in every way at once."""
