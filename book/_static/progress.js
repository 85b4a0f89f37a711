// Remembers, in this browser and nowhere else, which questions the reader has tried and which exercises are done, and shows it: on the chapter, in the list of
// chapters at the side, and on the welcome page, where it can also be forgotten. book/_ext/progress.py names the answers and the exercises.
"use strict";

(() => {
  const KEY = "mathematics-of-neural-networks/progress";

  // A browser may forbid pages to remember anything, some do so for pages opened from a file. Then nothing of all this is shown.
  const store = (() => {
    try {
      localStorage.getItem(KEY);
      return localStorage;
    } catch {
      return null;
    }
  })();
  if (store === null) return;

  // By the address of a page from the root of the book: {questions: [names of those tried], of: their number, exercises: [those done], ofExercises}.
  const read = () => {
    try {
      return JSON.parse(store.getItem(KEY)) ?? {};
    } catch {
      return {}; // another program's, or half of ours
    }
  };

  const root = new URL(document.documentElement.dataset.content_root, location.href);
  const nameOf = (address) => {
    const { origin, pathname } = new URL(address, location.href);
    return origin === root.origin && pathname.startsWith(root.pathname) ? pathname.slice(root.pathname.length).replace(/\.html$/, "") : null;
  };
  const here = nameOf(location.href);

  // Answers that stand together, neither in an exercise nor in what code shows, belong to one question, which has the name of the first.
  const firstAnswers = [...document.querySelectorAll("details[data-answer]")].filter(
    (answer) => !answer.closest(".exercise, .cell_output") && !answer.previousElementSibling?.matches("details[data-answer]") && answer.nextElementSibling?.matches("details[data-answer]"),
  );
  const exercises = [...document.querySelectorAll("section.exercise")];

  const change = (kind, name, present) => {
    const all = read();
    const page = all[here] ?? {};
    const names = new Set(page[kind]);
    if (present) names.add(name);
    else names.delete(name);
    all[here] = { ...page, of: firstAnswers.length, ofExercises: exercises.length, [kind]: [...names] };
    try {
      store.setItem(KEY, JSON.stringify(all));
    } catch {
      return; // the store is full, or was closed meanwhile
    }
    show();
  };

  for (const first of firstAnswers) {
    for (let answer = first; answer?.matches("details[data-answer]"); answer = answer.nextElementSibling) {
      answer.addEventListener("toggle", () => answer.open && change("questions", first.dataset.answer, true));
    }
  }

  const boxes = exercises.map((section) => {
    const label = document.createElement("label");
    label.className = "nn-done";
    const [, number] = section.firstElementChild.textContent.match(/(Exercise \d+)/);
    label.innerHTML = `<input type="checkbox" autocomplete="off"> <span>Done<span class="nn-hidden"> with ${number}</span></span>`;
    section.firstElementChild.after(label);
    const box = label.firstElementChild;
    box.addEventListener("change", () => change("exercises", section.id, box.checked));
    return [section.id, box];
  });

  // What is known of a page as [tried or done, of how many, in words], or null if that is nothing.
  const summary = (page) => {
    const tried = page?.questions?.length ?? 0;
    const done = page?.exercises?.length ?? 0;
    if (tried + done === 0) return null;
    const words = [`${tried} of ${page.of} ${page.of === 1 ? "question" : "questions"} tried`];
    if (page.ofExercises > 0) words.push(`${done} of ${page.ofExercises} exercises done`);
    return [tried + done, page.of + page.ofExercises, words.join(", ")];
  };

  // A sign beside each link to a page of which something is known: a ring that fills, in the list at the side; words, on the welcome page.
  const links = [...document.querySelectorAll("nav.bd-links a.reference, .bd-article table a.reference[href*='notebooks/']")].map((link) => {
    const sign = document.createElement("span");
    link.append(" ", sign);
    return [link, sign];
  });

  const note = document.createElement("p");
  note.className = "nn-progress-note";
  note.hidden = true;
  const forgetful = here === "book/welcome";

  const show = () => {
    const all = read();
    for (const [link, sign] of links) {
      const known = here !== null && summary(all[nameOf(link.href)]);
      sign.className = "";
      sign.textContent = "";
      sign.removeAttribute("title");
      if (!known) continue;
      const [n, of, words] = known;
      if (link.closest("nav")) {
        sign.className = "nn-ring";
        sign.style.setProperty("--nn-part", Math.min(1, n / of));
        sign.title = words;
        sign.innerHTML = `<span class="nn-hidden">, ${words}</span>`;
      } else {
        sign.className = "nn-words";
        sign.textContent = words;
      }
    }
    for (const [name, box] of boxes) box.checked = (all[here]?.exercises ?? []).includes(name);
    const known = forgetful ? Object.values(all).some(summary) : summary(all[here]);
    note.hidden = !known;
    if (known && !forgetful) note.firstElementChild.textContent = `On this page: ${known[2]}.`;
  };

  if (forgetful) {
    note.innerHTML = 'What you have tried is kept in this browser only. <button type="button">Forget it</button> <span role="status"></span>';
    const table = [...document.querySelectorAll(".bd-article table")].find((table) => table.querySelector(".reference[href*='notebooks/']"));
    (table?.closest(".pst-scrollable-table-container") ?? table)?.after(note);
    note.querySelector("button").addEventListener("click", () => {
      if (!confirm("Forget which questions you have tried and which exercises you have done?")) return;
      store.removeItem(KEY);
      show();
      note.hidden = false;
      note.innerHTML = '<span role="status" tabindex="-1">Forgotten.</span>';
      note.firstElementChild.focus();
    });
  } else if (firstAnswers.length + exercises.length > 0) {
    note.innerHTML = `<span></span> This is kept in your browser only, and you can <a href="${new URL("book/welcome.html#the-chapters", root)}">see it all, or have it forgotten</a>.`;
    document.querySelector(".bd-article section")?.append(note);
  }

  show();
  addEventListener("storage", (event) => (event.key === KEY || event.key === null) && show()); // another page of the book, open beside this one
  addEventListener("pageshow", show);
})();
