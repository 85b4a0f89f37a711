// Small repairs to what the theme's markup says to those who do not see it.

// What these are called is written on them.
for (const box of document.querySelectorAll(".search-button-field, details.hide > summary")) {
  box.removeAttribute("aria-label");
}

// What scrolls sideways on a narrow screen can be scrolled by keyboard too. (The theme sees to code and tables.)
(() => {
  const scrollers = ".bd-article div.math, .bd-article p, .bd-article summary";

  function mark() {
    for (const box of document.querySelectorAll(scrollers)) {
      if (box.scrollWidth > box.clientWidth && getComputedStyle(box).overflowX === "auto") {
        box.tabIndex = 0;
      } else {
        box.removeAttribute("tabindex");
      }
    }
  }

  mark();
  window.addEventListener("resize", mark);
})();

// The ledger: the statements of one verdict. The choice stands in the address, so that it can be linked to; print shows all.
(() => {
  const form = document.querySelector(".nn-verdicts");
  if (!form) {
    return;
  }
  const boxes = [...form.elements.verdict];
  const rows = [...document.querySelectorAll(".ledger tbody tr")];
  const sections = [...document.querySelectorAll("section section:has(.ledger)")];

  function show(verdict) {
    boxes.find((box) => box.value === verdict).checked = true;
    for (const row of rows) {
      row.classList.toggle("nn-out", verdict !== "" && !row.classList.contains(`verdict-${verdict}`));
    }
    for (const section of sections) {
      section.classList.toggle("nn-out", !section.querySelector(".ledger tbody tr:not(.nn-out)"));
    }
    const shown = rows.filter((row) => !row.classList.contains("nn-out")).length;
    form.querySelector("[role=status]").textContent = `${shown} of ${rows.length} statements are shown.`;
  }

  // A link to a chapter whose statements are not shown shows all of them again.
  function follow() {
    const name = decodeURIComponent(location.hash.slice(1));
    const place = name && document.getElementById(name);
    if (boxes.some((box) => box.value === name)) {
      show(name);
    } else if (place?.closest(".nn-out")) {
      show("");
      place.scrollIntoView();
    }
  }

  form.hidden = false;
  show("");
  follow();
  window.addEventListener("hashchange", follow);
  form.addEventListener("change", () => {
    const chosen = form.elements.verdict.value;
    show(chosen);
    history.replaceState(null, "", chosen ? `#${chosen}` : location.pathname + location.search);
  });
})();
