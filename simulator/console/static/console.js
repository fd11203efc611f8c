// The console works without this file. It keeps the newest rows live, copies commands, and knows a few keys.
"use strict";

const EVERY = 1000; // milliseconds between two looks

function follow(body) {
  let have = "", timer = 0, told = 0;
  const state = document.querySelector("[data-live-state]");

  async function look() {
    try {
      const address = body.dataset.live + (body.dataset.live.includes("?") ? "&" : "?") + "have=" + have;
      const answer = await fetch(address, { headers: { Accept: "text/html" } });
      if (answer.status === 200) {
        show(await answer.text());
        have = answer.headers.get("X-State") || "";
      }
      say(answer.ok ? "Live." : "The console refuses to answer; reload the page.");
    } catch {
      say("The console does not answer; still trying.");
    }
    schedule();
  }

  function show(html) {
    const fresh = document.createElement("template");
    fresh.innerHTML = html;
    const rows = [...fresh.content.children];
    const kept = new Map([...body.children].map((row) => [row.id, row]));
    rows.forEach((row, index) => {
      const old = kept.get(row.id);
      let here = row;
      if (old && old.outerHTML === row.outerHTML) here = old;
      else if (old) here = morph(old, row);
      else if (kept.size) row.classList.add("fresh");
      kept.delete(row.id);
      if (body.children[index] !== here) body.insertBefore(here, body.children[index] || null);
    });
    kept.forEach((row) => row.remove());
    const table = body.closest("table");
    if (rows.length && table?.hidden) {
      table.hidden = false;
      document.querySelector(".empty")?.remove();
    }
  }

  function say(sentence) {
    if (state && state.textContent !== sentence && Date.now() - told > 3000) {
      state.textContent = sentence;
      told = Date.now();
    }
  }

  function schedule() {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(look, EVERY);
  }

  document.addEventListener("visibilitychange", schedule);
  schedule();
}

// Let `old` say what `fresh` says and touch only what differs: focus and opened details stay; gives what is there now.
function morph(old, fresh) {
  if (old.nodeName !== fresh.nodeName) {
    old.replaceWith(fresh);
    return fresh;
  }
  if (old.nodeType === Node.TEXT_NODE && old.data !== fresh.data) old.data = fresh.data;
  for (const { name, value } of fresh.attributes || []) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const { name } of [...(old.attributes || [])]) if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
  const mine = [...old.childNodes].filter((node) => !node.dataset?.own);
  const theirs = [...fresh.childNodes];
  mine.slice(theirs.length).forEach((node) => node.remove());
  theirs.forEach((node, at) => (mine[at] ? morph(mine[at], node) : old.append(node)));
  return old;
}

function copyable(element) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.own = "1"; // not of the server, so not in its fragments
  button.className = "quiet copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(element.textContent);
    button.textContent = "Copied";
  });
  element.after(button);
}

function keys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input, textarea, select")) return;
  const field = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (field) {
    event.preventDefault();
    field.focus();
    return;
  }
  if (event.key !== "j" && event.key !== "k") return;
  const links = [...document.querySelectorAll("a.open")];
  const at = links.indexOf(document.activeElement);
  links[Math.min(Math.max(at + (event.key === "j" ? 1 : -1), 0), links.length - 1)]?.focus();
}

// What the server makes of a form, shown while somebody types.
function previewed(form) {
  const place = document.getElementById(form.dataset.into);
  let timer = 0, turn = 0;

  async function look() {
    const mine = ++turn;
    try {
      const answer = await fetch(form.dataset.preview, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      if (!answer.ok) return;
      const fresh = document.createElement("template");
      fresh.innerHTML = await answer.text();
      if (mine === turn) morph(place, fresh.content.firstElementChild);
    } catch {
      // The preview stays as it is; sending says what is wrong.
    }
  }

  form.querySelectorAll("[data-without-script]").forEach((button) => (button.hidden = true));
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, 150);
  });
}

document.querySelectorAll("[data-live]").forEach(follow);
document.querySelectorAll("[data-preview]").forEach(previewed);
document.querySelectorAll("[data-copy]").forEach(copyable);
document.addEventListener("keydown", keys);
