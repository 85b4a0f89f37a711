// Brings the published explorers to life. nnlib/explorers.py writes the markup, and beside it a manifest in JSON that
// names, for every state of the controls, the picture and the sentence that belong to it. An address may name a state:
// #explorer-2?depth=4&activation=tanh opens the page there, and a button copies such an address.
"use strict";

(() => {
  const STEP = 600; // milliseconds between two values of a slider that plays

  // What the reader has set, as the index of a value. The controls themselves are the only memory of it, so the
  // picture cannot disagree with them, not even when the browser fills them in after a reload.
  const index = (control) => {
    const radios = control.querySelectorAll("input[type=radio]");
    if (radios.length) return [...radios].findIndex((radio) => radio.checked);
    const input = control.querySelector("input, select");
    if (input.type === "checkbox") return Number(input.checked);
    return input.type === "range" ? Number(input.value) : input.selectedIndex;
  };

  const set = (control, i) => {
    const inputs = control.querySelectorAll("input, select");
    if (inputs[0].type === "radio") inputs[i].checked = true;
    else if (inputs[0].type === "checkbox") inputs[0].checked = i === 1;
    else if (inputs[0].type === "range") inputs[0].value = i;
    else inputs[0].selectedIndex = i;
  };

  const start = (figure) => {
    const manifest = JSON.parse(figure.querySelector("script").textContent);
    const picture = figure.querySelector(".nn-picture");
    const sentence = figure.querySelector(".nn-sentence");
    const controls = [...figure.querySelectorAll(".nn-control")];

    const show = () => {
      const at = controls.map(index);
      // The last control runs fastest, as in the digits of a number.
      const state = at.reduce((n, i, k) => n * manifest.controls[k].values.length + i, 0);
      const [p, s] = manifest.states[state];
      figure.dataset.state = at.join(" ");
      for (const [k, control] of controls.entries()) {
        const range = control.querySelector("input[type=range]");
        if (!range) continue;
        const text = manifest.controls[k].values[at[k]];
        control.querySelector("output").textContent = text;
        range.setAttribute("aria-valuetext", text);
        range.style.setProperty("--nn-at", at[k] / range.max);
      }
      if (picture.getAttribute("src") !== manifest.pictures[p]) {
        picture.src = manifest.pictures[p];
        // Until it is here show none, rather than the picture of another state.
        picture.classList.toggle("nn-waiting", !picture.complete);
      }
      picture.alt = manifest.sentences[s];
      if (sentence.textContent !== manifest.sentences[s]) sentence.textContent = manifest.sentences[s];
    };

    // A value that is missing in the address, or is none of the control's, is the one it starts at.
    const starts = controls.map(index);
    const open = () => {
      const [id, state] = location.hash.slice(1).split("?");
      if (id !== figure.id || state === undefined) return;
      const wanted = new URLSearchParams(state);
      for (const [k, { name, values }] of manifest.controls.entries()) {
        const at = values.map(typed).indexOf(wanted.get(name));
        set(controls[k], at < 0 ? starts[k] : at);
      }
      show();
      figure.focus({ preventScroll: true });
      figure.scrollIntoView();
    };
    const address = () => {
      const at = controls.map(index);
      const state = manifest.controls.map(({ name, values }, k) => [name, typed(values[at[k]])]);
      return `#${figure.id}?${new URLSearchParams(state)}`;
    };

    picture.addEventListener("load", () => picture.classList.remove("nn-waiting"));
    figure.addEventListener("input", show);
    window.addEventListener("pageshow", show);
    for (const control of figure.querySelectorAll(".nn-slider:has(.nn-play)")) enablePlay(control, sentence);
    figure.querySelector(".nn-controls").hidden = false;
    figure.tabIndex = -1;
    figure.append(copier(figure, address));
    window.addEventListener("hashchange", open);
    show();
    open();
    whenNear(figure, () => preload(figure, manifest.pictures));
  };

  // A value as it is typed: with the hyphen of a keyboard in place of the minus sign.
  const typed = (text) => text.replaceAll("−", "-");

  // The button that copies the address of the state on view. The address goes into the address bar too: a browser may
  // refuse the clipboard, as it does on a page that came over plain http.
  const copier = (figure, address) => {
    const share = document.createElement("p");
    const title = figure.querySelector(".nn-title").textContent;
    share.className = "nn-share";
    share.innerHTML = `<button type="button">Copy a link to this state<span class="nn-hidden"></span></button> <span role="status"></span>`;
    const [button, name, status] = share.querySelectorAll("button, span");
    name.textContent = ` of: ${title}`;
    button.addEventListener("click", async () => {
      status.textContent = "";
      history.replaceState(null, "", address());
      const copied = await navigator.clipboard?.writeText(location.href).then(
        () => true,
        () => false,
      );
      status.textContent = copied ? "Copied" : "It is in the address bar";
    });
    figure.addEventListener("input", () => (status.textContent = ""));
    return share;
  };

  const enablePlay = (control, sentence) => {
    const range = control.querySelector("input");
    const button = control.querySelector("button");
    let timer = null;

    const pause = () => {
      clearInterval(timer);
      timer = null;
      button.firstElementChild.textContent = "Play";
      sentence.setAttribute("aria-live", "polite");
    };
    const go = (value) => {
      range.value = value;
      range.dispatchEvent(new Event("input", { bubbles: true }));
      if (range.value === range.max) pause();
    };
    const play = () => {
      timer = setInterval(() => go(Number(range.value) + 1), STEP);
      button.firstElementChild.textContent = "Pause";
      sentence.setAttribute("aria-live", "off"); // a screen reader could not keep up
      go(range.value === range.max ? 0 : Number(range.value) + 1);
    };
    button.addEventListener("click", () => (timer === null ? play() : pause()));
    range.addEventListener("input", (event) => event.isTrusted && timer !== null && pause());
  };

  const whenNear = (figure, then) => {
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (!entry.isIntersecting) return;
        observer.disconnect();
        then();
      },
      { rootMargin: "100% 0px" },
    );
    observer.observe(figure);
  };

  // Fetches every picture of an explorer. They are kept with the figure, or the browser might forget them.
  const preload = (figure, pictures) => {
    let missing = pictures.length;
    figure.nnPictures = pictures.map((address) => {
      const image = new Image();
      image.fetchPriority = "low";
      image.addEventListener("load", () => {
        missing -= 1;
        if (missing === 0) figure.dataset.loaded = "";
      });
      image.src = address;
      return image;
    });
  };

  const startAll = () => document.querySelectorAll(".nn-explorer").forEach(start);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", startAll);
  else startAll();
})();
