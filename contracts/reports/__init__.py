"""What a run says, in the forms people and programs read. Every form is a pure function of `Run`."""
