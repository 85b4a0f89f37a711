// The glossary: shows only the terms that hold what is typed, in either language.
"use strict";

(() => {
  const form = document.querySelector(".nn-filter");
  const input = form.querySelector("input");
  const status = form.querySelector("[role=status]");
  const terms = [...document.querySelectorAll(".bd-article dt")];

  const show = () => {
    const wanted = input.value.trim().toLowerCase();
    let shown = 0;
    for (const term of terms) {
      const hidden = !`${term.textContent} ${term.nextElementSibling.textContent}`.toLowerCase().includes(wanted);
      term.hidden = hidden;
      term.nextElementSibling.hidden = hidden;
      shown += !hidden;
    }
    for (const letter of document.querySelectorAll(".bd-article section > section")) letter.hidden = !letter.querySelector("dt:not([hidden])");
    status.textContent = wanted ? `${shown} of ${terms.length} terms` : `${terms.length} terms`;
  };

  form.addEventListener("submit", (event) => event.preventDefault());
  input.addEventListener("input", show);
  form.hidden = false;
  show();
})();
