"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const root = document.documentElement;
  const { axes, characters, names, sample, saved } = JSON.parse($("data").textContent);
  const index = new Map(characters.map((point, i) => [point, i]));
  const SIZES = [12, 14, 16, 20, 24, 32, 48, 72, 96, 144, 200];
  const ROW = 104; // height of .cell
  const SWITCHES = ["calt", "behind", "dark"];

  const element = (tag, properties = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name in made) made[name] = value;
      else made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  };

  // A mark alone would sit on whatever is before it: it gets a space that does not break.
  const text = (point) => {
    const character = String.fromCodePoint(point);
    return /\p{M}/u.test(character) ? "\u00a0" + character : character;
  };
  const firstLine = (lines) => lines.split("\n").find((line) => line.trim()) ?? "";
  const hex = (point) => point.toString(16).toUpperCase().padStart(4, "0");
  // Axes at 0 need no word: there the font is its source.
  const settings = (mix) => axes.flatMap(({ tag }, i) => (mix[i] ? [`"${tag}" ${mix[i]}`] : [])).join(", ") || "normal";
  const alone = (hand) => axes.map((_, i) => (i === hand ? 100 : 0));
  const hands = [["Source", alone(-1)], ...axes.map(({ name }, i) => [name, alone(i)])];

  // ---------------------------------------------------------------- state, and its address
  const first = {
    text: sample,
    size: 56,
    mix: axes.map((_, i) => (i < 2 ? 50 : 0)),
    glyph: [...sample].map((c) => index.get(c.codePointAt(0))).find((i) => i !== undefined) ?? 0,
    calt: true,
    behind: true,
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
  };
  const state = {};

  function read() {
    const given = new URLSearchParams(location.hash.slice(1));
    const number = (name, otherwise, least, most) => {
      const value = given.has(name) ? Math.round(Number(given.get(name))) : NaN;
      return Number.isNaN(value) ? otherwise : Math.min(most, Math.max(least, value));
    };
    state.text = given.get("text") ?? first.text;
    state.size = number("size", first.size, 12, 200);
    state.mix = axes.map(({ tag }, i) => number(tag, first.mix[i], 0, 100));
    state.glyph = index.get(parseInt(given.get("glyph"), 16)) ?? first.glyph;
    for (const name of SWITCHES) state[name] = given.has(name) ? given.get(name) === "1" : first[name];
  }

  let writing;
  function keep() {
    clearTimeout(writing);
    writing = setTimeout(() => {
      const kept = new URLSearchParams();
      if (state.text !== first.text) kept.set("text", state.text);
      if (state.size !== first.size) kept.set("size", state.size);
      if (`${state.mix}` !== `${first.mix}`) axes.forEach(({ tag }, i) => kept.set(tag, state.mix[i]));
      if (state.glyph !== first.glyph) kept.set("glyph", hex(characters[state.glyph]));
      for (const name of SWITCHES) if (state[name] !== first[name]) kept.set(name, Number(state[name]));
      history.replaceState(null, "", location.href.split("#")[0] + (kept.size ? `#${kept}` : ""));
    }, 300);
  }

  // ---------------------------------------------------------------- controls
  const slider = (input, value) => {
    input.value = value;
    input.style.setProperty("--filled", `${(100 * (value - input.min)) / (input.max - input.min)}%`);
  };
  const sliders = axes.map(({ tag, name }, i) => {
    const input = element("input", { type: "range", id: `axis-${tag}`, min: 0, max: 100 });
    const value = element("output", { htmlFor: input.id });
    input.addEventListener("input", () => {
      state.mix[i] = Number(input.value);
      showMix();
    });
    $("axes").append(
      element("label", { className: "slide", htmlFor: input.id }, element("span", {}, name), value),
      input,
    );
    return { input, value };
  });

  const presets = [];
  const preset = (mix, ...inside) => {
    const button = element("button", { type: "button" }, ...inside);
    button.addEventListener("click", () => {
      state.mix = [...mix];
      showMix();
    });
    presets.push([button, `${mix}`]);
    return button;
  };
  for (const [name, mix] of hands) $("presets").append(preset(mix, name));
  const shuffle = element("button", { type: "button" }, "Shuffle");
  shuffle.addEventListener("click", () => {
    const shares = axes.map(() => -Math.log(1 - Math.random()));
    const whole = Math.max(1, shares.reduce((sum, share) => sum + share, 0));
    state.mix = shares.map((share) => Math.round((100 * share) / whole));
    showMix();
  });
  $("presets").append(shuffle);

  $("size").addEventListener("input", (event) => {
    state.size = Number(event.target.value);
    showSize();
  });
  for (const name of SWITCHES)
    $(name).addEventListener("change", (event) => {
      state[name] = event.target.checked;
      showView();
    });

  async function copy(button, copied) {
    try {
      await navigator.clipboard.writeText(copied);
    } catch {
      const held = element("textarea", { className: "hidden", value: copied });
      document.body.append(held);
      held.select();
      document.execCommand("copy");
      held.remove();
      button.focus();
    }
    const before = button.dataset.name ?? button.textContent;
    button.dataset.name = before;
    button.textContent = $("said").textContent = "Copied";
    setTimeout(() => {
      button.textContent = before;
      $("said").textContent = "";
    }, 1500);
  }
  $("copy-command").addEventListener("click", (event) => copy(event.target, $("command").textContent));

  // ---------------------------------------------------------------- text
  const areas = [];
  function row(name, kind, style, ...beside) {
    const area = element("textarea", {
      rows: 1, spellcheck: false, dir: "auto", lang: "", autocapitalize: "off", "aria-label": `Text in ${name}`,
    });
    const grow = element("div", { className: `grow type ${kind}` }, area);
    if (style) grow.style.setProperty("--hand", style);
    area.addEventListener("input", () => {
      state.text = area.value;
      showText();
    });
    areas.push(area);
    $("rows").append(
      element("article", { className: "row" }, element("header", {}, element("h3", {}, name), ...beside), grow),
    );
  }
  const link = (to, name) => element("a", { href: to.href, download: to.download, "aria-label": `Save ${name}` }, "Save");
  const css = element("code");
  const copyCss = element("button", { type: "button" }, "Copy CSS");
  copyCss.addEventListener("click", () => copy(copyCss, `font-variation-settings: ${settings(state.mix)};`));
  row("Mix", "mix", "", css, copyCss);
  hands.forEach(([name, mix], i) => {
    const single = i && saved ? [link($(`single-${i}`), name)] : [];
    row(name, "", settings(mix), ...single);
  });
  const alternates = $("alternates");
  if (alternates) {
    const told = element("span", { id: "calt-told" });
    row("Alternates", "alternates", "", told, link(alternates, "Alternates"));
  } else $("calt-label").hidden = true;
  $("reset").addEventListener("click", () => {
    state.text = first.text;
    showText();
    areas[0].focus();
  });

  const lines = SIZES.map((size) => {
    const line = element("div", { className: "type mix", dir: "auto", lang: "" });
    line.style.fontSize = `${size}px`;
    $("sizes").append(element("div", { className: "size" }, element("span", {}, size), line));
    return line;
  });

  // ---------------------------------------------------------------- glyphs
  const pair = (point) =>
    element(
      "span",
      { className: "pair type", "aria-hidden": true },
      element("span", { className: "source" }, text(point)),
      element("span", { className: "mix type" }, text(point)),
    );
  const grid = $("grid");
  const sheet = grid.appendChild(element("div", { role: "presentation" }));
  let shown = characters.map((_, i) => i); // what the search leaves, as indices of characters
  let columns = 1;
  let painted = "";
  let printing = false;

  const cell = (i, place) =>
    element(
      "div",
      {
        className: "cell", id: `glyph-${i}`, role: "option",
        "aria-label": `${String.fromCodePoint(characters[i])}, ${names[i].toLowerCase() || hex(characters[i])}`,
        "aria-selected": i === state.glyph, "aria-setsize": shown.length, "aria-posinset": place + 1,
      },
      pair(characters[i]),
      element("small", { "aria-hidden": true }, hex(characters[i])),
    );

  /** Fill the part of the grid that is in sight, or that holds a place in it. */
  function paint(place = -1) {
    columns = Math.max(1, Math.floor(grid.clientWidth / 84));
    const rows = Math.ceil(shown.length / columns);
    const top = grid.getBoundingClientRect().top;
    let from = Math.floor(-top / ROW / 4) * 4 - 4;
    let to = Math.ceil((innerHeight - top) / ROW / 4) * 4 + 4;
    const wanted = Math.floor(place / columns);
    if (place >= 0 && (wanted < from || wanted >= to)) [from, to] = [wanted - 8, wanted + 8];
    if (printing) [from, to] = [0, rows];
    from = Math.max(0, Math.min(from, rows - 8)); // never empty: a screen reader looks in from afar
    to = Math.min(rows, Math.max(to, from + 8));
    const now = `${from} ${to} ${columns} ${shown.length} ${shown[0]}`;
    if (now === painted) return;
    painted = now;
    grid.style.height = `${rows * ROW}px`;
    sheet.style.paddingTop = `${from * ROW}px`;
    sheet.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
    const start = from * columns;
    sheet.replaceChildren(...shown.slice(start, Math.max(start, to * columns)).map((i, k) => cell(i, start + k)));
    const room = grid.clientWidth / columns - 12;
    const pairs = [...sheet.querySelectorAll(".pair")].map((drawn) => [drawn, drawn.offsetWidth]);
    for (const [drawn, width] of pairs) if (width > room) drawn.style.zoom = room / width;
  }

  function choose(place) {
    if (!(place in shown)) return;
    $(`glyph-${state.glyph}`)?.setAttribute("aria-selected", false);
    state.glyph = shown[place];
    paint(place);
    const chosen = $(`glyph-${state.glyph}`);
    chosen.setAttribute("aria-selected", true);
    chosen.scrollIntoView({ block: "nearest" });
    showGlyph();
  }
  grid.addEventListener("click", (event) => {
    const hit = event.target.closest(".cell");
    if (hit) choose(Number(hit.getAttribute("aria-posinset")) - 1);
  });
  grid.addEventListener("focus", () => {
    const place = shown.indexOf(state.glyph);
    if (grid.matches(":focus-visible")) choose(place < 0 ? 0 : place);
  });
  grid.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const here = shown.indexOf(state.glyph);
    const last = shown.length - 1;
    const page = columns * Math.max(1, Math.floor(innerHeight / ROW) - 1);
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, PageUp: -page, PageDown: page };
    let place = { Home: 0, End: last }[event.key];
    if (event.key in steps) {
      place = here + steps[event.key];
      if (event.key.startsWith("Page")) place = Math.min(last, Math.max(0, place));
    } else if ([...event.key].length === 1 && event.key !== " ")
      place = shown.indexOf(index.get(event.key.codePointAt(0)));
    if (place === undefined || place < 0) return;
    event.preventDefault();
    choose(place);
  });

  $("find").addEventListener("input", (event) => {
    const asked = event.target.value.trim();
    const code = /^(?:u\+?|uni)?([0-9a-f]{4,6})$/i.exec(asked);
    const words = asked.toUpperCase().split(/\s+/);
    const alone = [...asked].length === 1;
    const fits = (point, i) =>
      alone
        ? String.fromCodePoint(point) === asked
        : (code && point === parseInt(code[1], 16)) || words.every((word) => ` ${names[i]}`.includes(` ${word}`));
    shown = characters.flatMap((point, i) => (!asked || fits(point, i) ? [i] : []));
    $("found").textContent = asked ? `${shown.length} of ${characters.length}` : "";
    painted = "";
    paint();
    if (asked && shown.length && !shown.includes(state.glyph)) {
      state.glyph = shown[0];
      $(`glyph-${state.glyph}`)?.setAttribute("aria-selected", true);
      showGlyph();
    }
  });
  addEventListener("scroll", () => paint(), { passive: true });
  addEventListener("beforeprint", () => ((printing = true), paint()));
  addEventListener("afterprint", () => ((printing = false), paint()));
  new ResizeObserver(() => paint()).observe(grid);
  new ResizeObserver(() => paint()).observe(document.body);

  const stage = element("div", { className: "stage", "aria-hidden": true });
  const facts = element("dl", { className: "facts" });
  const strip = element("div", { className: "hands", role: "group", "aria-label": "Set the mix to" });
  $("large").append(element("div", { className: "large" }, stage, facts, strip));
  const probe = document.body.appendChild(element("div", { className: "probe type", "aria-hidden": true }));
  const inHands = hands.map(([name, mix]) => {
    const drawn = element("span", { className: "type", "aria-hidden": true });
    drawn.style.setProperty("--hand", settings(mix));
    strip.append(preset(mix, drawn, element("small", {}, name)));
    return drawn;
  });

  /** The advance of a line in a mix, in ems. */
  function advance(line, mix) {
    const span = element("span", { className: "type" }, line);
    span.style.setProperty("--hand", settings(mix));
    probe.replaceChildren(span);
    return span.getBoundingClientRect().width / 1000;
  }

  /** Heights above the baseline worth a line, in ems: x and H of the source. */
  let heights = [0];
  function measure() {
    const context = element("canvas").getContext("2d");
    context.font = '1000px "vce variable"';
    const tops = ["x", "H"].filter((letter) => index.has(letter.codePointAt(0)));
    heights = [0, ...tops.map((letter) => context.measureText(letter).actualBoundingBoxAscent / 1000)];
  }

  /** The size at which the first line of the sample fits, in the widest hand. */
  function fitted() {
    const line = firstLine(sample);
    const widest = Math.max(...hands.map(([, mix]) => advance(line, mix)), 0.1);
    return Math.min(72, Math.max(32, Math.floor($("rows").clientWidth / widest) - 1));
  }

  function showGlyph() {
    if (!characters.length) return;
    const point = characters[state.glyph];
    const [before, after] = [alone(-1), state.mix].map((mix) => advance(String.fromCodePoint(point), mix));
    const drawn = pair(point);
    const guides = heights.map((height) => {
      const line = element("i", { className: "guide" });
      line.style.top = `${-height}em`;
      return line;
    });
    drawn.prepend(element("i", { className: "base" }, ...guides), element("i", { className: "edge" }), element("i", { className: "edge end" }));
    const width = stage.clientWidth;
    drawn.style.fontSize = `${Math.floor(Math.min(stage.clientHeight * 0.72, (width - 48) / Math.max(before, after, 0.1)))}px`;
    stage.replaceChildren(drawn);
    const fact = (name, value) => [element("dt", {}, name), element("dd", {}, value)];
    const widths = before === after ? before.toFixed(3) : `${before.toFixed(3)} to ${after.toFixed(3)}`;
    facts.replaceChildren(
      ...fact("Code", `U+${hex(point)}`),
      ...(names[state.glyph] ? fact("Name", names[state.glyph].toLowerCase()) : []),
      ...fact("Advance", `${widths} em`),
    );
    for (const span of inHands) span.textContent = text(point);
    grid.setAttribute("aria-activedescendant", `glyph-${state.glyph}`);
    keep();
  }

  // ---------------------------------------------------------------- what the state looks like
  function showMix() {
    css.textContent = settings(state.mix);
    root.style.setProperty("--mix", settings(state.mix));
    sliders.forEach(({ input, value }, i) => {
      slider(input, state.mix[i]);
      value.textContent = state.mix[i];
    });
    for (const [button, mix] of presets) button.setAttribute("aria-pressed", mix === `${state.mix}`);
    showGlyph();
    keep();
  }

  function showText() {
    for (const area of areas) {
      if (area.value !== state.text) area.value = state.text;
      area.parentNode.dataset.text = state.text;
    }
    for (const line of lines) line.textContent = firstLine(state.text);
    const missing = [...new Set(state.text)].filter((c) => !index.has(c.codePointAt(0)) && !/[\s\p{C}]/u.test(c));
    $("missing").hidden = !missing.length;
    $("missing").textContent = `Not in this font, and drawn by another: ${missing.join(" ")}`;
    $("reset").hidden = state.text === first.text;
    keep();
  }

  function showSize() {
    slider($("size"), state.size);
    $("size-value").textContent = `${state.size} px`;
    root.style.setProperty("--size", `${state.size}px`);
    keep();
  }

  function showView() {
    for (const name of SWITCHES) $(name).checked = state[name];
    root.dataset.theme = state.dark ? "dark" : "light";
    root.classList.toggle("no-behind", !state.behind);
    root.classList.toggle("no-calt", !state.calt);
    if (alternates) $("calt-told").textContent = state.calt ? "contextual alternates on" : "contextual alternates off";
    keep();
  }

  function show() {
    read();
    showView();
    showSize();
    showText();
    showMix();
    painted = "";
    paint();
  }
  addEventListener("hashchange", show);

  const narrow = matchMedia("(max-width: 760px)");
  const fold = () => (document.querySelector("details").open = !narrow.matches);
  narrow.addEventListener("change", fold);
  fold();
  show();

  // Each font lies in the page once, in the link that saves it.
  const load = async (family, { href }) => document.fonts.add(await new FontFace(family, `url("${href}")`).load());
  Promise.all([load("vce variable", $("variable")), alternates && load("vce alternates", alternates)])
    .then(() => {
      measure();
      first.size = fitted();
      show();
      root.dataset.ready = "";
    })
    .catch((error) => {
      $("failure").textContent = `This browser cannot read the fonts in this page: ${error.message}`;
      $("failure").hidden = false;
    });
})();
