"use strict";
// Everything that came from a record becomes text (textContent), never markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const form = document.getElementById("filter");
  const list = document.getElementById("list");
  const shown = document.getElementById("shown");
  const latest = data.titles.length - 1;
  const defaults = { record: String(latest), verdict: "", section: "", dtype: "", text: "" };

  const element = (tag, text, name) => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (name) made.className = name;
    return made;
  };
  const verdictOf = (clause, record) => data.verdicts[clause.v[record]] || "not judged";

  const rows = data.clauses.map((clause) => {
    const row = element("details");
    const head = element("summary");
    const verdict = element("span");
    head.append(verdict, " ", element("code", clause.id));
    row.append(head);
    row.id = clause.id;
    const failures = Object.values(clause.d || {});
    const words = [clause.id, clause.says || "", ...failures.map((f) => JSON.stringify(f))];
    const dtypes = failures.map((f) => JSON.stringify([f.case || {}, f.shown || {}]));
    let filled = false;
    row.addEventListener("toggle", () => {
      if (row.open && !filled) { filled = true; fill(row, clause); }
    });
    return { clause, row, verdict, words: words.join(" ").toLowerCase(),
      dtypes: dtypes.join(" "), section: clause.id.split(".")[0] };
  });
  list.append(...rows.map((entry) => entry.row));

  function pairs(target, entries) {
    const made = element("dl");
    for (const [name, value] of entries) {
      if (value === undefined || value === null || value === "") continue;
      made.append(element("dt", name), element("dd", value));
    }
    target.append(made);
  }

  function code(target, title, text) {
    const box = element("details");
    const head = element("summary", title);
    const block = element("pre");
    block.tabIndex = 0;
    block.append(element("code", text));
    box.append(head);
    if (navigator.clipboard && title.startsWith("script")) {
      const copy = element("button", "Copy");
      copy.type = "button";
      copy.addEventListener("click", async () => {
        await navigator.clipboard.writeText(text);
        copy.textContent = "Copied";
      });
      box.append(copy);
    }
    box.append(block);
    target.append(box);
  }

  function fill(row, clause) {
    pairs(row, [["behaviour", clause.says], ...(clause.covers || []).map((c) => ["documented", c]),
      ["stands in", clause.at],
      ["history", data.titles.map((t, i) => `${t}: ${verdictOf(clause, i)}`).join("\n")]]);
    for (const [record, f] of Object.entries(clause.d || {})) {
      row.append(element("h3", data.titles[record]));
      const labels = (map) => Object.entries(map || {}).map(([k, v]) => `${k} = ${v}`).join("\n");
      const where = f.where ? (f.where.length ? `[${f.where.join(", ")}]` : "the only element") : "";
      pairs(row, [["example", labels(f.shown)], ["case", labels(f.case)], ["differs in", f.what],
        ["first at", where], ["expected", f.expected], ["got", f.got], ["checked at", f.at],
        ["reason", f.reason], ["did not run there", (f.elsewhere || []).join("\n")]]);
      if (f.script) code(row, "script that shows it", f.script);
    }
    if (clause.source !== undefined) code(row, "source of the clause", data.sources[clause.source]);
  }

  function values() {
    return Object.fromEntries(new FormData(form));
  }

  function show() {
    const asked = values();
    const record = Number(asked.record);
    const text = asked.text.trim().toLowerCase();
    const dtype = asked.dtype.trim();
    let count = 0;
    for (const { clause, row, verdict, words, dtypes, section } of rows) {
      const name = verdictOf(clause, record);
      const wanted = (!asked.verdict || asked.verdict === name ||
          (asked.verdict === "not-passed" && name !== "passed" && name !== "not judged")) &&
        (!asked.section || asked.section === section) &&
        (!dtype || dtypes.includes(dtype)) && (!text || words.includes(text));
      row.hidden = !wanted;
      if (verdict.textContent !== name) { verdict.textContent = name; verdict.className = name; }
      count += wanted;
    }
    shown.textContent = `${count} of ${rows.length} clauses`;
  }

  // The filter stands in the address, so that a view can be sent to somebody.
  function fromAddress() {
    const asked = { ...defaults };
    for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
      if (name in asked) asked[name] = value;
    }
    for (const [name, value] of Object.entries(asked)) form.elements[name].value = value;
    show();
  }
  form.addEventListener("input", () => {
    const asked = new URLSearchParams();
    for (const [name, value] of Object.entries(values())) {
      if (value !== defaults[name]) asked.set(name, value);
    }
    history.replaceState(null, "", `#${asked}`);
    show();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    history.replaceState(null, "", "#");
    fromAddress();
  });
  addEventListener("hashchange", () => {
    if (location.hash === "#clauses") return;
    fromAddress();
    document.getElementById("clauses").scrollIntoView();
  });
  fromAddress();
})();
