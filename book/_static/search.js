// The search page: finds the places that search-index.js lists (book/_ext/search.py writes it), as the reader types. MiniSearch ranks them.
"use strict";

(() => {
  const SHOWN = 10; // pages
  const EACH = 3; // places of a page
  const EXCERPT = 180; // letters

  // --- words ---

  const GREEK = { α: "alpha", β: "beta", γ: "gamma", δ: "delta", ε: "epsilon", ζ: "zeta", η: "eta", θ: "theta", κ: "kappa", λ: "lambda", μ: "mu", ν: "nu", ξ: "xi", π: "pi", ρ: "rho", σ: "sigma", τ: "tau", φ: "phi", χ: "chi", ψ: "psi", ω: "omega" };
  const WORD = /\p{Script=Hangul}+|\p{Script=Greek}|s\d\.\d+|[\p{Script=Latin}\d_]+|[∂∇∑∏∫√⊙⋆]/gu;
  const english = new Stemmer(); // Sphinx's, with its stop words, from language_data.js
  const silent = new Set(stopwords);

  const bare = (word) => word.normalize("NFD").replace(/\p{M}/gu, "");

  // What stands in a text: tokens, each with where its word begins and ends. Korean joins its particles to its words, so a run of Hangul
  // counts as the pairs of its syllables: 손실을 is 손실 and 실을, and holds what 손실 holds.
  const read = (text) => {
    const found = [];
    for (const { 0: word, index } of text.toLowerCase().matchAll(WORD)) {
      const add = (token, from = 0, to = word.length) => found.push({ token, from: index + from, to: index + to });
      if (/^\p{Script=Hangul}/u.test(word)) {
        if (word.length === 1) add(word);
        for (let i = 0; i + 1 < word.length; i += 1) add(word.slice(i, i + 2), i, i + 2);
      } else if (GREEK[word]) {
        add(word);
        add(GREEK[word]);
      } else if (/^\p{Script=Latin}+$/u.test(word)) {
        if (!silent.has(word)) add(english.stemWord(bare(word)));
      } else {
        add(word);
        if (word.includes("_")) for (const part of word.split("_")) if (part && !silent.has(part)) add(english.stemWord(part));
      }
    }
    return found;
  };

  // --- the index ---

  const places = BOOK.places.map(([page, anchor, kind, title, above, text, terms], id) => {
    const of = BOOK.pages[page][1];
    return { id, page, anchor, kind, title, above: [of, ...above].join(" "), trail: above.slice(-1)[0], text, terms };
  });
  const index = new MiniSearch({
    fields: ["title", "above", "text", "terms"],
    tokenize: (text) => read(text).map(({ token }) => token),
    processTerm: (token) => token,
  });
  index.addAll(places);

  const WEIGHT = { page: 1.3, section: 1, term: 1.4, statement: 1.2, explorer: 0.7, symbol: 1.4, code: 0.6 };
  const isReference = BOOK.pages.map(([address]) => /references|speed|licen|api/.test(address));

  const find = (query) => {
    const wanted = query.toLowerCase();
    const options = {
      boost: { title: 4, above: 1, terms: 2 },
      prefix: (token) => /^\p{Script=Hangul}$/u.test(token) || /^[a-z]{3,}$/.test(token),
      fuzzy: (token) => (/^[a-z]{5,}$/.test(token) ? 0.2 : false),
      boostDocument: (id) => {
        const { kind, title, page } = places[id];
        return WEIGHT[kind] * (isReference[page] ? 0.6 : 1) * (title.toLowerCase() === wanted ? 3 : 1);
      },
    };
    const all = index.search(query, { ...options, combineWith: "AND" });
    return { all: all.length > 0, hits: all.length > 0 ? all : index.search(query, options) };
  };

  // --- what is shown ---

  const make = (name, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };

  const marked = (text, terms) => {
    const hits = read(text).filter(({ token }) => terms.has(token));
    const pieces = [];
    let at = 0;
    for (const { from, to } of hits) {
      if (to <= at) continue; // the second of two pairs of syllables begins within the first
      const start = Math.max(from, at);
      if (start === at && pieces.at(-1)?.nodeName === "MARK") pieces.at(-1).append(text.slice(start, to));
      else pieces.push(text.slice(at, start), make("mark", {}, text.slice(start, to)));
      at = to;
    }
    return [...pieces, text.slice(at)];
  };

  // The stretch of a text in which most of the words that were found stand.
  const excerpt = (text, terms) => {
    const hits = read(text).filter(({ token }) => terms.has(token));
    let best = { from: 0, different: 0 };
    for (const [k, { from }] of hits.entries()) {
      const different = new Set();
      for (let j = k; j < hits.length && hits[j].to <= from + EXCERPT; j += 1) different.add(hits[j].token);
      if (different.size > best.different) best = { from, different: different.size };
    }
    const begin = best.from < 60 ? 0 : text.indexOf(" ", best.from - 50) + 1;
    const end = text.length <= begin + EXCERPT ? text.length : text.lastIndexOf(" ", begin + EXCERPT);
    return [begin > 0 ? "… " : "", ...marked(text.slice(begin, Math.max(end, begin + 60)), terms), end < text.length ? " …" : ""];
  };

  const NAMES = { statement: "Statement of the article", explorer: "Explorer", term: "Term", symbol: "Symbol", code: "Code" };

  const card = ({ id, terms }) => {
    const { page, anchor, kind, title, trail, text } = places[id];
    const found = new Set(terms);
    const address = BOOK.pages[page][0] + (anchor ? `#${anchor}` : "");
    const link = make("a", { href: address }, ...marked(title, found));
    const where = [NAMES[kind], ["code", "term"].includes(kind) ? null : trail].filter(Boolean).join(" · ");
    return make("li", {}, link, ...(where ? [make("span", { className: "where" }, where)] : []), make("p", {}, ...excerpt(text, found)));
  };

  const count = document.querySelector("#search-count");
  const list = document.querySelector("#search-results");
  const input = document.querySelector("#search-input");
  const hint = document.querySelector("#search-hint");

  const show = () => {
    const query = input.value.normalize("NFKC").trim();
    const { all, hits } = query ? find(query) : { all: true, hits: [] };
    const pages = new Map();
    for (const hit of hits) {
      const { page } = places[hit.id];
      if (!pages.has(page)) pages.set(page, []);
      pages.get(page).push(hit);
    }
    const shown = [...pages].slice(0, SHOWN);
    list.replaceChildren(
      ...shown.map(([page, found]) => {
        const rest = found.length - EACH;
        const more = rest > 0 ? [make("p", { className: "where" }, `and ${rest} more on this page`)] : [];
        return make("li", {}, make("h2", {}, make("a", { href: BOOK.pages[page][0] }, BOOK.pages[page][1])), make("ul", {}, ...found.slice(0, EACH).map(card)), ...more);
      }),
    );
    const place = hits.length === 1 ? "1 place" : `${hits.length} places`;
    const page = pages.size === 1 ? "1 page" : `${pages.size} pages`;
    const with_ = all ? "" : "No place has all these words. ";
    count.textContent = !query ? "" : hits.length ? `${with_}${place} on ${page}.` : `Nothing was found for “${query}”.`;
    hint.hidden = hits.length > 0;
    document.title = query ? `${query} – Search` : "Search";
  };

  // The address holds the query, so that the way back from a page leads to what was found.
  let timer;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      history.replaceState(null, "", input.value.trim() ? `?q=${encodeURIComponent(input.value.trim())}` : location.pathname);
      show();
    }, 150);
  });
  input.form.addEventListener("submit", (event) => {
    event.preventDefault();
    show();
  });
  input.value = new URLSearchParams(location.search).get("q") ?? "";
  show();
  input.focus();
})();
