"use strict";
// Shows the data of the page. Everything is put on the page as text: log text never becomes markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const app = document.getElementById("app");
  const SEVERITIES = ["High", "Medium", "Low", "Informational"];
  const TONES = { High: "high", Medium: "medium", Low: "low", Informational: "info" };
  const STATE_TONES = { fired: "high", silent: "good", partial: "medium", "no-data": "info", "out-of-window": "info",
    unsupported: "medium", invalid: "medium", failed: "medium", skipped: "info" };
  const STATES = Object.keys(STATE_TONES);
  const PAGE = 60;

  // ---- elements -------------------------------------------------------------------------------------------------------
  const el = (tag, attributes, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name === "on") for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
      else if (name === "css") for (const [key, to] of Object.entries(value)) node.style.setProperty(key, to);
      else node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
    return node;
  };
  const svg = (tag, attributes, ...children) => {
    const node = document.createElementNS(app.namespaceURI.replace("1999/xhtml", "2000/svg"), tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const tone = (severity) => "t-" + (TONES[severity] || "info");
  const badge = (text, name) => el("span", { class: "badge t-" + name }, text);
  const severityBadge = (severity) => badge(severity || "none", TONES[severity] || "info");
  const stateBadge = (state) => badge(state, STATE_TONES[state] || "info");
  const plural = (count, one, many) => number(count) + " " + (count === 1 ? one : many || one + "s");
  const number = (value) => Number(value).toLocaleString("en-US");
  const moment = (text) => (text ? text.slice(0, 10) + " " + text.slice(11, 19) + "Z" : "");
  const clock = (text) => el("time", { datetime: (text || "").slice(0, 23) + "Z" }, moment(text));
  const span = (from, to) => (moment(from) === moment(to) ? [clock(from)] : [clock(from), " to ", clock(to)]);
  const bytes = (value) => (value < 1024 ? value + " B" : value < 1048576 ? (value / 1024).toFixed(1) + " KB" : (value / 1048576).toFixed(1) + " MB");
  const text = (value) => (value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));
  const rank = (severity) => { const at = SEVERITIES.indexOf(severity); return at < 0 ? 9 : at; };
  const panel = (title, ...children) => el("section", { class: "panel" }, el("h2", {}, title), ...children);
  const facts = (pairs) => el("dl", {}, pairs.filter(([, value]) => value !== null && value !== "" && value !== undefined)
    .map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
  const titled = (title, ...children) => el("section", {}, el("h2", { class: "minor" }, title), ...children);
  // Lines that were broken to fit a file flow again; paragraphs and lists stay.
  const prose = (content) => el("p", { class: "prose" }, content.trim().replace(/([^\n])\n(?!\n|\s*([-*•]|\d+[.)])\s)[ \t]*/g, "$1 "));
  const head = (title, sub) => el("header", { class: "head" }, el("h1", {}, title), sub ? el("p", { class: "sub" }, sub) : null);

  // ---- what belongs to what ------------------------------------------------------------------------------------------
  const alertAt = new Map(data.alerts.map((alert, index) => [alert.id, index]));
  const incidentAt = new Map(data.incidents.map((incident, index) => [incident.number, index]));
  const entityKey = (kind, label) => kind + "\n" + label.toLowerCase();
  const entityAt = new Map(data.entities.map((entity, index) => [entityKey(entity.kind, entity.label), index]));
  const ruleOf = (alert) => data.rules[alert.rule] || {};
  const alertLink = (id) => {
    const alert = data.alerts[alertAt.get(id)];
    return alert ? el("a", { href: "#/alert/" + alertAt.get(id) }, alert.name) : id;
  };
  const entityChip = ([kind, label]) => {
    const at = entityAt.get(entityKey(kind, label));
    const inside = [el("i", {}, kind), label];
    return at === undefined ? el("span", { class: "chip" }, inside) : el("a", { class: "chip", href: "#/entity/" + at }, inside);
  };
  const copyButton = (content) => {
    const button = el("button", { class: "button", type: "button" }, "Copy");
    button.addEventListener("click", async () => {
      try { await navigator.clipboard.writeText(content); }
      catch {
        const area = el("textarea", { "aria-hidden": "true" });
        area.value = content; document.body.append(area); area.select(); document.execCommand("copy"); area.remove();
      }
      button.textContent = "Copied"; setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    return button;
  };
  const query = (title, content) => el("div", { class: "query" },
    el("div", { class: "bar" }, el("span", {}, title), copyButton(content)),
    el("pre", { tabindex: "0", role: "group", "aria-label": title }, content));

  // ---- tables that can be sorted and filtered ---------------------------------------------------------------------------
  // A column: {name, of: row => value to sort by, show: row => what to put there, num, tight}.
  const table = (label, columns, rows, options = {}) => {
    let order = options.order ?? -1, down = options.down || false, shown = options.page || 100, find = "";
    const body = el("tbody", {});
    const heads = columns.map((column, index) => el("th", { scope: "col", class: column.num && "num" }, options.plain ? column.name
      : el("button", { type: "button", on: { click: () => { down = order === index ? !down : Boolean(column.num); order = index; draw(); } } }, column.name)));
    const count = el("p", { class: "count", "aria-live": "polite" });
    const more = el("button", { class: "button more", type: "button", on: { click: () => { shown += 200; draw(); } } }, "Show more");
    const words = options.filter && rows.map((row) => columns.map((column) => text(column.of(row))).join(" ").toLowerCase());
    const draw = () => {
      let at = rows.map((_, index) => index);
      if (words && find) at = at.filter((index) => find.split(/\s+/).every((word) => words[index].includes(word)));
      if (order >= 0) {
        const of = columns[order].of;
        at.sort((a, b) => {
          const [x, y] = [of(rows[a]), of(rows[b])];
          const by = typeof x === "number" && typeof y === "number" ? x - y : text(x).localeCompare(text(y), "en", { numeric: true });
          return (down ? -by : by) || a - b;
        });
      }
      heads.forEach((node, index) => { if (!options.plain) node.setAttribute("aria-sort", index !== order ? "none" : down ? "descending" : "ascending"); });
      body.replaceChildren(...at.slice(0, shown).flatMap((index) => drawRow(rows[index])));
      count.textContent = at.length === rows.length ? "" : number(at.length) + " of " + number(rows.length);
      more.hidden = at.length <= shown;
    };
    const drawRow = (row) => {
      const line = el("tr", {}, columns.map((column) => el("td", { class: [column.num && "num", column.tight && "tight"].filter(Boolean).join(" ") || null },
        column.show ? column.show(row) : column.num ? number(column.of(row)) : text(column.of(row)))));
      if (!options.inner) return [line];
      const inner = el("tr", { class: "inner", hidden: true });
      const open = el("button", { class: "link", type: "button", "aria-expanded": "false" }, ...line.firstChild.childNodes);
      open.addEventListener("click", () => {
        if (!inner.firstChild) inner.append(el("td", { colspan: columns.length }, options.inner(row)));
        inner.hidden = !inner.hidden; open.setAttribute("aria-expanded", String(!inner.hidden));
      });
      line.firstChild.append(open);
      return [line, inner];
    };
    draw();
    const tools = options.filter && el("div", { class: "tools" }, searchBox("Filter", (value) => { find = value; shown = options.page || 100; draw(); }), options.extra);
    return el("div", {}, tools, count, el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
      el("table", {}, el("caption", { class: "hidden-text" }, label), el("thead", {}, el("tr", {}, heads)), body)), more);
  };
  const searchBox = (label, act, value = "") => {
    const input = el("input", { type: "search", autocomplete: "off", spellcheck: "false" });
    input.value = value;
    let waiting;
    input.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => act(input.value.trim().toLowerCase()), 80); });
    return el("label", { class: "wide" }, label, input);
  };
  const choice = (label, values, value, act) => {
    const select = el("select", {}, values.map(([key, name]) => el("option", { value: key }, name)));
    select.value = value;
    select.addEventListener("change", () => act(select.value));
    return el("label", {}, label, select);
  };

  // ---- one alert --------------------------------------------------------------------------------------------------------
  const changeBadge = (alert) => (alert.change === "new" ? badge("new", "accent") : null);
  const card = (alert, open) => {
    const node = el("details", { class: "card " + tone(alert.severity), open },
      el("summary", {},
        el("span", { class: "title" }, severityBadge(alert.severity), changeBadge(alert), alert.name),
        clock(alert.until),
        alert.entities.length ? el("span", { class: "chips" }, alert.entities.slice(0, 6).map(([kind, label]) => el("span", { class: "chip" }, el("i", {}, kind), label)),
          alert.entities.length > 6 ? el("span", { class: "quiet small" }, "and " + (alert.entities.length - 6) + " more") : null) : null));
    const fill = () => { if (node.open && node.childElementCount === 1) node.append(alertBody(alert)); };
    node.addEventListener("toggle", fill);
    if (open) fill();
    return node;
  };
  const alertBody = (alert) => {
    const rule = ruleOf(alert), guidance = rule.guidance || {};
    const description = alert.description || rule.description;
    const guide = (key, title) => (guidance[key] ? titled(title, prose(guidance[key])) : null);
    return el("div", { class: "body" },
      description ? prose(description) : null,
      facts([
        ["When", el("span", {}, span(alert.time, alert.until))],
        ["Seen by", plural(alert.runs, "run") + ", first for " + moment(alert.window[0]) + " to " + moment(alert.window[1])],
        ["ATT&CK", [...alert.tactics, ...alert.techniques].join(", ")],
        ["Rule", rule.name ? el("a", { href: "#/rules?q=" + encodeURIComponent(rule.name) }, rule.name) : null],
        ["Incident", alert.incident && incidentAt.has(alert.incident) ? el("a", { href: "#/incident/" + incidentAt.get(alert.incident) }, "Incident " + alert.incident) : null],
        ["Entities", alert.entities.length ? el("span", { class: "chips" }, alert.entities.map(entityChip)) : null],
        ...Object.entries(alert.details).map(([name, values]) => [name, values.join(", ")]),
        ["Id", el("span", { class: "mono" }, alert.id)],
      ]),
      alert.notes.length ? titled("Notes", el("ul", {}, alert.notes.map((note) => el("li", {}, note)))) : null,
      alert.rows.length ? titled("Why" + (alert.rows_total > alert.rows.length ? ": " + alert.rows.length + " of " + plural(alert.rows_total, "row") : ""), why(alert)) : null,
      alert.records.length ? titled("Source records: " + (alert.records_cut ? "more than " : "") + number(alert.records_total), table("Source records", [
        { name: "Record", num: true, of: (r) => r[1] },
        { name: "File", of: (r) => data.paths[r[0]], show: (r) => el("span", { class: "mono" }, data.paths[r[0]]) },
        { name: "Table", of: (r) => r[2] },
        { name: "_ItemId", of: (r) => r[3], show: (r) => el("span", { class: "mono" }, r[3] || "") },
      ], alert.records, { plain: true })) : null,
      alert.next.length ? titled("What to ask next", alert.next.map((next) => query(next.title, next.query))) : null,
      guide("falsePositives", "False positives"), guide("tuning", "Tuning"), guide("response", "Response"),
      rule.query ? el("details", {}, el("summary", {}, "The rule's query, as of this run"),
        query("KQL", "set query_now = datetime(" + alert.clock + ");\n" + rule.query)) : null);
  };
  const why = (alert) => {
    const used = alert.columns.map((name, index) => ({ name, index })).filter(({ index }) => alert.rows.some((row) => text(row[index]) !== ""));
    if (alert.rows.length === 1) return facts(used.map(({ name, index }) => [name, text(alert.rows[0][index])]));
    return table("Result rows", used.map(({ name, index }) => ({ name, of: (row) => row[index] })), alert.rows, {});
  };

  // ---- the views --------------------------------------------------------------------------------------------------------
  const overview = () => {
    const run = data.run, span1 = run.span;
    const counts = SEVERITIES.map((severity) => [severity, data.severities[severity] || 0]);
    const mode = run.mode.kind === "once" ? "each rule run once" + (run.mode.as_of ? ", as of " + moment(run.mode.as_of) : ", at the end of the data")
      : (run.mode.kind === "replay" ? "each rule replayed over " : "each rule swept over ") + (run.mode.from || run.mode.to ? (moment(run.mode.from) || "the start") + " to " + (moment(run.mode.to) || "the end") : "the whole span");
    return [head("Hunt report", span1 ? [clock(span1.first), " to ", clock(span1.last), " · " + mode] : "No event with a time"),
      el("div", { class: "stack" },
        el("div", { class: "tiles" }, counts.map(([severity, count]) => el("a", { class: "tile " + tone(severity), href: "#/alerts?severity=" + severity }, el("b", {}, number(count)), el("span", {}, severity + (count === 1 ? " alert" : " alerts"))))),
        changesPanel(),
        data.alerts.length ? panel("Alerts over time", histogram()) : null,
        panel("Rules by state", states()),
        el("div", { class: "two" }, topIncidents(), topEntities()),
        blindSpots(),
        panel("The run", facts([
          ["Rules", number(data.rules.length) + (run.rules_from === "built-in" ? ", built in" : "")], ["Commit of the rules", run.commit],
          ["Runs", plural(run.runs.scheduled, "run") + " scheduled: " + number(run.runs.executed) + " executed, " + number(run.runs.shared) + " shared, " + number(run.runs.empty) + " without rows"],
          ["Reference tables", run.reference_tables], ["ATT&CK version", run.attack], ["Tidewatch version", run.version],
          ["Command line", el("span", { class: "mono" }, "tidewatch " + run.command.join(" "))], ["Wall time", run.seconds ? run.seconds.toFixed(1) + " s" : null],
        ])))];
  };
  const histogram = () => {
    const at = (textual) => Date.parse(textual.slice(0, 23) + "Z");
    const times = data.alerts.map((alert) => at(alert.until)).filter((time) => !Number.isNaN(time));
    if (!times.length) return el("p", { class: "quiet" }, "No alert has a time.");
    let first = times.reduce((a, b) => Math.min(a, b)), last = times.reduce((a, b) => Math.max(a, b));
    if (data.run.span) { first = Math.min(first, at(data.run.span.first)); last = Math.max(last, at(data.run.span.last)); }
    const size = Math.min(60, Math.max(1, Math.ceil((last - first) / 3600000))), width = (last - first) / size || 1;
    const bins = Array.from({ length: size }, () => [0, 0, 0, 0]);
    for (const alert of data.alerts) {
      const time = at(alert.until);
      if (!Number.isNaN(time)) bins[Math.min(size - 1, Math.floor((time - first) / width))][Math.min(rank(alert.severity), 3)] += 1;
    }
    const top = bins.reduce((most, bin) => Math.max(most, bin.reduce((a, b) => a + b)), 1);
    const day = (time) => new Date(time).toISOString().slice(0, 16).replace("T", " ") + "Z";
    return [el("div", { class: "bars", role: "img", "aria-label": plural(data.alerts.length, "alert") + " over time, at most " + top + " in one bar" },
      bins.map((bin, index) => el("div", { class: "bar", title: day(first + index * width) + ": " + plural(bin.reduce((a, b) => a + b), "alert") },
        bin.map((count, severity) => (count ? el("span", { class: tone(SEVERITIES[severity]), css: { height: (100 * count) / top + "%" } }) : null)).reverse()))),
    el("div", { class: "axis" }, el("span", {}, day(first)), el("span", {}, day(last)))];
  };
  const states = () => {
    const counts = STATES.map((state) => [state, data.states[state] || 0]).filter(([, count]) => count);
    return [el("div", { class: "share", role: "img", "aria-label": counts.map(([state, count]) => count + " " + state).join(", ") },
      counts.map(([state, count]) => el("span", { class: "t-" + STATE_TONES[state], css: { flex: String(count) } }))),
    el("div", { class: "legend" }, counts.map(([state, count]) => el("a", { href: "#/rules?state=" + state }, el("span", { class: "dot t-" + STATE_TONES[state] }), number(count) + " " + state)))];
  };
  const topIncidents = () => (data.incidents.length ? panel("Newest incidents",
    el("ul", { class: "list" }, data.incidents.slice(0, 6).map((incident, index) => el("li", {}, severityBadge(incident.severity),
      el("span", { class: "grow" }, el("a", { href: "#/incident/" + index }, incident.title)), el("span", { class: "quiet small" }, plural(incident.alerts.length, "alert")))))) : null);
  const topEntities = () => (data.entities.length ? panel("Most wanted entities",
    el("ul", { class: "list" }, data.entities.slice(0, 6).map((entity, index) => el("li", {}, severityBadge(entity.severity),
      el("span", { class: "grow" }, el("a", { href: "#/entity/" + index }, entity.label), el("span", { class: "quiet small" }, " " + entity.kind)),
      el("span", { class: "quiet small" }, plural(entity.alerts.length, "alert")))))) : null);
  const blindSpots = () => {
    const lines = [];
    const say = (...parts) => lines.push(el("li", {}, el("span", { class: "grow" }, parts)));
    const count = (state) => data.states[state] || 0;
    const unseen = count("no-data") + count("out-of-window");
    if (unseen) say(el("a", { href: "#/rules?state=no-data" }, plural(unseen, "rule")), " had no rows to judge: their silence says nothing.");
    if (count("partial")) say(el("a", { href: "#/rules?state=partial" }, plural(count("partial"), "rule")), " saw only some of their tables.");
    const broken = count("unsupported") + count("invalid") + count("failed");
    if (broken) say(el("a", { href: "#/rules" }, plural(broken, "rule")), " could not be judged (unsupported, invalid or failed).");
    const sum = (of) => data.sources.reduce((total, source) => total + of(source), 0);
    const tallied = (map) => Object.values(map).reduce((total, tally) => total + tally.count, 0);
    const unreadable = sum((source) => tallied(source.unreadable)), undated = sum((source) => source.undated);
    if (unreadable) say(el("a", { href: "#/sources" }, plural(unreadable, "record")), " could not be read.");
    if (undated) say(plural(undated, "row"), " without a time: in no window of any rule.");
    for (const source of data.sources) if (source.stopped) say(el("span", { class: "mono" }, source.path), " was read only in part: ", source.stopped);
    const gaps = Object.entries(data.tables).filter(([, known]) => known.gaps.length);
    if (gaps.length) say("Times of more than an hour without a row: ", gaps.map(([name, known]) => name + " (" + known.gaps.length + ")").join(", "), ".");
    return lines.length ? el("section", { class: "panel notice" }, el("h2", {}, "What this report cannot see"), el("ul", { class: "list" }, lines.slice(0, 12),
      lines.length > 12 ? el("li", { class: "quiet" }, "and " + (lines.length - 12) + " more, under Sources") : null)) : null;
  };
  const changesPanel = () => {
    const changes = data.changes;
    if (!changes) return null;
    const tile = (count, name, kind, href) => el("a", { class: "tile t-" + kind, href }, el("b", {}, number(count)), el("span", {}, name));
    return panel("Since the baseline", el("div", { class: "tiles" }, tile(changes.new.length, "new", "high", "#/alerts?change=new"), tile(changes.still.length, "still there", "medium", "#/alerts?change=still"),
      tile(changes.gone.length, "gone", "good", "#/changes"), tile(changes.rule_states.length, "rules end otherwise", "info", "#/changes")));
  };

  const words = data.alerts.map((alert) => null);
  const haystack = (index) => words[index] ?? (words[index] = (() => {
    const alert = data.alerts[index], rule = ruleOf(alert);
    return [alert.name, rule.name, alert.severity, ...alert.tactics, ...alert.techniques, alert.id, ...alert.entities.map(([kind, label]) => kind + " " + label),
      ...alert.rows.slice(0, 5).map((row) => row.map(text).join(" "))].join(" ").toLowerCase();
  })());
  const alerts = (parameters) => {
    const wanted = new Set(parameters.get("severity") ? [parameters.get("severity")] : []);
    let find = (parameters.get("q") || "").toLowerCase(), order = "newest", rule = "", change = parameters.get("change") || "", shown = PAGE;
    const list = el("div", {}), count = el("p", { class: "count", "aria-live": "polite" });
    const more = el("button", { class: "button more", type: "button", on: { click: () => show() } }, "Show more");
    let at = [];
    const time = (index) => data.alerts[index].until;
    const orders = {
      newest: (a, b) => time(b).localeCompare(time(a)), oldest: (a, b) => time(a).localeCompare(time(b)),
      severity: (a, b) => rank(data.alerts[a].severity) - rank(data.alerts[b].severity) || time(b).localeCompare(time(a)),
      rule: (a, b) => text(ruleOf(data.alerts[a]).name).localeCompare(text(ruleOf(data.alerts[b]).name)) || time(b).localeCompare(time(a)),
    };
    const draw = () => {
      const parts = find.split(/\s+/).filter(Boolean);
      at = data.alerts.map((_, index) => index).filter((index) => {
        const alert = data.alerts[index];
        return (!wanted.size || wanted.has(alert.severity)) && (!rule || String(alert.rule) === rule) && (!change || alert.change === change)
          && parts.every((part) => haystack(index).includes(part));
      });
      at.sort((a, b) => orders[order](a, b) || a - b);
      list.replaceChildren(); shown = 0; show();
      count.textContent = at.length === data.alerts.length ? plural(at.length, "alert") : number(at.length) + " of " + plural(data.alerts.length, "alert");
    };
    const show = () => {
      list.append(...at.slice(shown, shown + PAGE).map((index) => card(data.alerts[index])));
      shown += PAGE; more.hidden = shown >= at.length;
      if (!at.length) list.append(el("p", { class: "empty" }, data.alerts.length ? "No alert matches." : "No alerts."));
    };
    const toggles = el("div", { class: "toggles", role: "group", "aria-label": "Severity" }, SEVERITIES.map((severity) => {
      const button = el("button", { type: "button", class: "toggle " + tone(severity), "aria-pressed": String(wanted.has(severity)) }, severity + " " + number(data.severities[severity] || 0));
      button.addEventListener("click", () => {
        if (wanted.has(severity)) wanted.delete(severity); else wanted.add(severity);
        button.setAttribute("aria-pressed", String(wanted.has(severity))); draw();
      });
      return button;
    }));
    const fired = [...new Set(data.alerts.map((alert) => alert.rule))].filter((index) => data.rules[index]).map((index) => [String(index), data.rules[index].name]).sort((a, b) => a[1].localeCompare(b[1]));
    draw();
    return [head("Alerts"), el("div", { class: "tools" },
      searchBox("Search names, entities, values", (value) => { find = value; draw(); }, parameters.get("q") || ""), toggles,
      fired.length > 1 ? choice("Rule", [["", "All rules"], ...fired.map(([key, name]) => [key, name.length > 48 ? name.slice(0, 47) + "…" : name])], "", (value) => { rule = value; draw(); }) : null,
      data.changes ? choice("Since the baseline", [["", "All"], ["new", "New"], ["still", "Still there"]], change, (value) => { change = value; draw(); }) : null,
      choice("Order", [["newest", "Newest first"], ["oldest", "Oldest first"], ["severity", "Severity"], ["rule", "Rule"]], order, (value) => { order = value; draw(); })), count, list, more];
  };
  const oneAlert = (index) => {
    const alert = data.alerts[index];
    return alert ? [head(alert.name, el("a", { href: "#/alerts" }, "All alerts")), card(alert, true)] : missing();
  };
  const missing = () => [head("Not here"), el("p", {}, el("a", { href: "#/" }, "To the overview"))];

  const incidents = () => [head("Incidents", "Alerts that belong together by the grouping of their rule."), data.incidents.length ? table("Incidents", [
    { name: "Incident", num: true, of: (row) => row.number },
    { name: "Severity", of: (row) => rank(row.severity), show: (row) => severityBadge(row.severity) },
    { name: "Title", of: (row) => row.title, show: (row) => el("a", { href: "#/incident/" + incidentAt.get(row.number) }, row.title) },
    { name: "Alerts", num: true, of: (row) => row.alerts.length },
    { name: "First", tight: true, of: (row) => row.first_activity, show: (row) => clock(row.first_activity) },
    { name: "Last", tight: true, of: (row) => row.last_activity, show: (row) => clock(row.last_activity) },
  ], data.incidents, { filter: true }) : el("p", { class: "empty" }, "No incidents: hunting queries make none.")];
  const cards = (ids) => {
    const box = el("div", {}), more = el("button", { class: "button more", type: "button", on: { click: () => show() } }, "Show more");
    let shown = 0;
    const show = () => {
      box.append(...ids.slice(shown, shown + PAGE).map((id) => data.alerts[alertAt.get(id)]).filter(Boolean).map((alert) => card(alert)));
      shown += PAGE; more.hidden = shown >= ids.length;
    };
    show();
    return [box, more];
  };
  const incident = (index) => {
    const found = data.incidents[index];
    if (!found) return missing();
    return [head(found.title, [severityBadge(found.severity), " Incident " + found.number + " · ", ...span(found.first_activity, found.last_activity)]),
      el("div", { class: "stack" }, panel("What is known", facts([["Status", found.status], ["Tactics", found.tactics.join(", ")], ["Created", clock(found.created)], ["Name", el("span", { class: "mono" }, found.name)]])),
        titled(plural(found.alerts.length, "alert") + ", oldest first", cards(found.alerts)))];
  };

  const entitiesView = () => [head("Entities", "Every actor, address and resource that an alert names."), data.entities.length ? table("Entities", [
    { name: "Entity", of: (row) => row.label, show: (row) => el("a", { href: "#/entity/" + data.entities.indexOf(row) }, row.label) },
    { name: "Type", of: (row) => row.kind },
    { name: "Severity", of: (row) => rank(row.severity), show: (row) => severityBadge(row.severity) },
    { name: "Alerts", num: true, of: (row) => row.alerts.length },
    { name: "Events", num: true, of: (row) => row.events_total },
    { name: "First", tight: true, of: (row) => row.first, show: (row) => clock(row.first) },
    { name: "Last", tight: true, of: (row) => row.last, show: (row) => clock(row.last) },
  ], data.entities, { filter: true }) : el("p", { class: "empty" }, "No alert names an entity.")];
  const entity = (index) => {
    const found = data.entities[index];
    if (!found) return missing();
    const event = (name, at, options) => ({ name, of: (row) => row[at], ...options });
    return [head(found.label, [severityBadge(found.severity), " " + found.kind + " · ", ...span(found.first, found.last)]),
      el("div", { class: "stack" },
        panel("Known as", facts(Object.entries(found.identifiers).map(([name, values]) => [name, values.join(", ")]))),
        found.events.length ? panel("What it did: " + (found.events_total > found.events.length ? "the first " + number(found.events.length) + " of " : "") + plural(found.events_total, "event"),
          table("Events", [event("Time", 0, { tight: true, show: (row) => clock(row[0]) }), event("Table", 1), event("Took part as", 2), event("Action", 5), event("Target", 6), event("Actor", 3), event("Address", 4), event("Outcome", 7),
            { name: "Record", of: (row) => (row[8] ? data.paths[row[8][0]] + " " + row[8][1] : ""), show: (row) => (row[8] ? el("span", { class: "mono" }, data.paths[row[8][0]] + " record " + row[8][1]) : "") }], found.events, { filter: true })) : null,
        titled(plural(found.alerts.length, "alert") + ", oldest first", cards(found.alerts)))];
  };

  const timeline = () => {
    const order = data.alerts.map((_, index) => index).sort((a, b) => data.alerts[a].until.localeCompare(data.alerts[b].until) || b - a);
    const box = el("div", {}), more = el("button", { class: "button more", type: "button", on: { click: () => show() } }, "Show more");
    let shown = 0, day = "", line = null;
    const show = () => {
      for (const index of order.slice(shown, shown + 200)) {
        const alert = data.alerts[index];
        if (alert.until.slice(0, 10) !== day) { day = alert.until.slice(0, 10); line = el("ol", { class: "line" }); box.append(el("h2", { class: "day" }, day), line); }
        line.append(el("li", { class: tone(alert.severity) }, el("div", { class: "row" }, el("time", { class: "quiet small mono" }, alert.until.slice(11, 19)), severityBadge(alert.severity), el("a", { href: "#/alert/" + index }, alert.name)),
          alert.entities.length ? el("div", { class: "chips" }, alert.entities.slice(0, 5).map(entityChip)) : null));
      }
      shown += 200; more.hidden = shown >= order.length;
    };
    show();
    return [head("Timeline", "All alerts by the time of their last record, in UTC."), data.alerts.length ? [box, more] : el("p", { class: "empty" }, "No alerts.")];
  };

  const rules = (parameters) => {
    let state = parameters.get("state") || "";
    const find = parameters.get("q") || "";
    const box = el("div", {});
    const draw = () => {
      const rows = data.rules.filter((rule) => (!state || rule.state === state) && (!find || rule.name === find));
      const extra = choice("State", [["", "All states"], ...STATES.filter((name) => data.states[name]).map((name) => [name, name + " " + number(data.states[name])])], state, (value) => { state = value; draw(); });
      box.replaceChildren(table("Rules", [
        { name: "Rule", of: (row) => row.name },
        { name: "State", of: (row) => row.state, show: (row) => stateBadge(row.state) },
        { name: "Severity", of: (row) => rank(row.severity), show: (row) => (row.severity ? severityBadge(row.severity) : "") },
        { name: "Why", of: (row) => row.reason },
        { name: "Alerts", num: true, of: (row) => row.alerts },
        { name: "Rows", num: true, of: (row) => row.rows },
        { name: "Runs", num: true, of: (row) => row.runs.scheduled },
        { name: "Rows read", num: true, of: (row) => row.tables.reduce((sum, read) => sum + read.rows, 0) },
        ...(data.rules.some((row) => row.seconds !== undefined) ? [{ name: "Seconds", num: true, of: (row) => row.seconds || 0, show: (row) => (row.seconds || 0).toFixed(2) }] : []),
      ], rows, { filter: true, extra, inner: ruleBody }));
    };
    draw();
    return [head("Rules", find ? el("a", { href: "#/rules" }, "All rules") : "Every rule ends in exactly one state; only silent is a finding about the logs."), box, libraryNotes()];
  };
  const ruleBody = (rule) => el("div", { class: "body" },
    rule.description ? prose(rule.description) : null,
    facts([["Id", el("span", { class: "mono" }, rule.id)], ["File", el("span", { class: "mono" }, rule.file)], ["Kind", rule.kind], ["Techniques", rule.techniques.join(", ")],
      ["Runs", plural(rule.runs.scheduled, "run") + ": " + (rule.runs.single_pass ? "one pass over the span" : number(rule.runs.executed) + " executed, " + number(rule.runs.shared) + " shared, " + number(rule.runs.empty) + " without rows")],
      ["Tables", rule.tables.map((read) => read.name + " (" + plural(read.rows, "row") + (read.rows_in_windows ? "" : ", none in its windows") + ")").join(", ")],
      ["Status values shown as", rule.azure_status_dialect], ["Tests", rule.has_tests ? "yes" : "none beside the rule"]]),
    rule.diagnostics.length ? titled("Diagnostics", el("ul", {}, rule.diagnostics.map((found) => el("li", {}, found.of + " " + found.line + ":" + found.column + " " + (found.code || found.severity) + ": " + found.message + (found.help ? " (" + found.help + ")" : ""))))) : null,
    rule.notes.length ? titled("Notes", el("ul", {}, rule.notes.map((note) => el("li", {}, note)))) : null,
    rule.alerts ? el("p", {}, el("a", { href: "#/alerts?q=" + encodeURIComponent(rule.name) }, "Its alerts")) : null,
    rule.query ? query("KQL", rule.query) : null);
  const libraryNotes = () => {
    const found = data.library, lines = [
      ...found.broken.map((file) => file.file + (file.line ? ":" + file.line : "") + ": " + file.message),
      ...found.duplicates.filter((pair) => !pair.same_query).map((pair) => "The id " + pair.id + " is in " + pair.first + " and in " + pair.second + ": both ran."),
      ...found.unreadable.map((path) => path.path + ": " + path.reason)];
    return lines.length ? el("section", { class: "panel notice", css: { "margin-top": "1rem" } }, el("h2", {}, "Beside the rules"), el("ul", { class: "list" }, lines.slice(0, 100).map((line) => el("li", {}, el("span", { class: "grow" }, line))))) : null;
  };

  const coverage = () => {
    const groups = new Map();
    for (const found of data.coverage) for (const tactic of found.tactics.length ? found.tactics : ["Of no known tactic"]) groups.set(tactic, [...(groups.get(tactic) || []), found]);
    const one = (found) => {
      const counts = STATES.map((state) => [state, found.states[state] || 0]).filter(([, count]) => count);
      return el("div", { class: "technique" }, el("div", {}, el("strong", {}, found.technique), " " + found.name),
        el("div", { class: "share", role: "img", "aria-label": counts.map(([state, count]) => count + " " + state).join(", ") || "no rule" }, counts.map(([state, count]) => el("span", { class: "t-" + STATE_TONES[state], css: { flex: String(count) } }))),
        el("div", { class: "small quiet" }, plural(found.rules, "rule") + (counts.length ? " (" + counts.map(([state, count]) => count + " " + state).join(", ") + ")" : "") + ", " + found.rules_with_tests + " with tests" + (found.alerts ? ", " : ""),
          found.alerts ? el("a", { href: "#/alerts?q=" + encodeURIComponent(found.technique) }, plural(found.alerts, "alert")) : null));
    };
    return [head("Coverage", "ATT&CK " + data.run.attack + ": techniques that the rules of this run name, and how these rules ended."),
      data.coverage.length ? el("div", { class: "stack" }, [...groups].map(([tactic, found]) => panel(tactic, el("div", { class: "matrix" }, found.map(one))))) : el("p", { class: "empty" }, "No rule names a technique.")];
  };

  const sources = () => {
    const tallies = (map) => Object.entries(map).map(([reason, tally]) => number(tally.count) + " × " + reason + " (first: record " + tally.first.record + ", line " + tally.first.line + ", offset " + tally.first.offset + (tally.first.text ? ": " + tally.first.text : "") + ")");
    const counted = (map) => Object.values(map).reduce((total, tally) => total + tally.count, 0);
    const spark = (line) => {
      const top = line.rows.reduce((a, b) => Math.max(a, b), 1);
      return el("div", { class: "spark", role: "img", "aria-label": "Rows over time, " + line.hours_each + " h a bar, at most " + number(top) },
        line.rows.map((rows) => el("span", { css: { height: (100 * rows) / top + "%" } })));
    };
    const oneTable = ([name, known]) => panel(name, el("div", { class: "stack" },
      el("p", { class: "quiet small" }, plural(known.rows, "row"), known.first ? [" · ", ...span(known.first, known.last)] : null, known.undated ? " · " + plural(known.undated, "row") + " without a time" : null),
      known.sparkline && known.sparkline.rows.length > 1 ? spark(known.sparkline) : null,
      facts([...Object.entries(known.seen || {}).map(([column, values]) => {
        const by = Object.entries(values).sort((a, b) => b[1] - a[1]);
        return [column, by.slice(0, 8).map(([value, rows]) => (value || "(empty)") + " (" + number(rows) + ")").join(", ") + (by.length > 8 ? " and " + (by.length - 8) + " more" : "")];
      }), ["Gaps over 1 h", known.gaps.length ? known.gaps.slice(0, 5).map((gap) => moment(gap.from) + " to " + moment(gap.to)).join("; ") + (known.gaps.length > 5 ? " and " + (known.gaps.length - 5) + " more" : "") : null]])));
    const inner = (source) => el("div", { class: "body" }, facts([
      ["SHA-256", el("span", { class: "mono" }, source.sha256)], ["Kinds", Object.entries(source.kinds).map(([kind, count]) => kind + " " + number(count)).join(", ")],
      ["Tables", Object.entries(source.tables).map(([name, count]) => name + " " + number(count)).join(", ")], ["Size", bytes(source.bytes)],
      ["Undated", source.undated || null], ["Impossible times", source.implausible || null], ["Read in part", source.stopped],
      ["Fields without a column", Object.entries(source.unmapped).slice(0, 30).map(([field, count]) => field + " (" + number(count) + ")").join(", ")]]),
      [["Unreadable", source.unreadable], ["Nobody's row", source.other], ["Mended", source.mended], ["Values that did not fit", source.misfits]].map(([title, map]) => {
        const lines = tallies(map);
        return lines.length ? titled(title, el("ul", {}, lines.map((line) => el("li", {}, line)))) : null;
      }),
      source.notes.length ? titled("Notes", el("ul", {}, source.notes.map((note) => el("li", {}, note)))) : null);
    return [head("Sources", "What was in the logs, and what became of every record."), el("div", { class: "stack" },
      el("div", { class: "two" }, Object.entries(data.tables).map(oneTable)),
      panel("Files", table("Files", [
        { name: "File", of: (row) => row.path + (row.member ? " › " + row.member : "") },
        { name: "Format", of: (row) => row.format }, { name: "Records", num: true, of: (row) => row.records }, { name: "Rows", num: true, of: (row) => row.rows },
        { name: "Duplicates", num: true, of: (row) => row.duplicates }, { name: "Unreadable", num: true, of: (row) => counted(row.unreadable) }, { name: "Other", num: true, of: (row) => counted(row.other) },
        { name: "First", tight: true, of: (row) => row.first || "", show: (row) => (row.first ? clock(row.first) : "") }, { name: "Last", tight: true, of: (row) => row.last || "", show: (row) => (row.last ? clock(row.last) : "") },
      ], data.sources, { filter: true, inner, page: 50 })))];
  };

  const changes = () => {
    const found = data.changes;
    if (!found) return missing();
    return [head("Since the baseline", found.baseline_span ? ["The baseline covers ", ...span(found.baseline_span.first, found.baseline_span.last)] : null), changesPanel(), el("div", { class: "stack", css: { "margin-top": "1rem" } },
      panel("Gone", found.gone.length ? table("Alerts that are gone", [
        { name: "Alert", of: (row) => row.name }, { name: "Severity", of: (row) => rank(row.severity), show: (row) => severityBadge(row.severity) },
        { name: "Time", tight: true, of: (row) => row.time, show: (row) => clock(row.time) }, { name: "Rule", of: (row) => row.rule.name },
        { name: "The rule is now", of: (row) => row.rule_state || "not there", show: (row) => (row.rule_state ? stateBadge(row.rule_state) : "not there") },
      ], found.gone, { filter: true }) : el("p", { class: "quiet" }, "None.")),
      panel("Rules that end otherwise", found.rule_states.length ? table("Rules that end otherwise", [
        { name: "Rule", of: (row) => row.rule.name }, { name: "Before", of: (row) => row.before || "not there", show: (row) => (row.before ? stateBadge(row.before) : "not there") },
        { name: "Now", of: (row) => row.after || "not there", show: (row) => (row.after ? stateBadge(row.after) : "not there") },
      ], found.rule_states, { filter: true }) : el("p", { class: "quiet" }, "None.")))];
  };

  // ---- the frame --------------------------------------------------------------------------------------------------------
  const VIEWS = [["", "Overview", overview, null], ["alerts", "Alerts", alerts, data.alerts.length], ["incidents", "Incidents", incidents, data.incidents.length],
    ["entities", "Entities", entitiesView, data.entities.length], ["timeline", "Timeline", timeline, null], ["rules", "Rules", rules, data.rules.length],
    ["coverage", "Coverage", coverage, data.coverage.length], ["sources", "Sources", sources, data.sources.length],
    ...(data.changes ? [["changes", "Changes", changes, data.changes.gone.length + data.changes.new.length]] : [])];
  const PARTS = { alert: [oneAlert, "alerts"], incident: [incident, "incidents"], entity: [entity, "entities"] };
  const main = el("main", { id: "main", tabindex: "-1" });
  const links = VIEWS.map(([name, title, , count]) => el("a", { href: "#/" + name }, title, count === null ? null : el("span", { class: "n" }, number(count))));
  const logo = svg("svg", { viewBox: "0 0 26 26", "aria-hidden": "true" }, svg("path", { d: "M2 11c3.6-5.4 7.4-5.4 11 0s7.4 5.4 11 0" }), svg("path", { d: "M2 18c3.6-5.4 7.4-5.4 11 0s7.4 5.4 11 0" }));
  app.append(el("a", { class: "skip", href: "#main", on: { click: (event) => { event.preventDefault(); main.focus(); } } }, "To the content"),
    el("div", { class: "frame" }, el("header", { class: "side" }, el("div", { class: "brand" }, logo, "Tidewatch"),
      el("nav", { "aria-label": "Views" }, el("ul", { class: "nav" }, links.map((link) => el("li", {}, link)))),
      el("p", { class: "foot" }, "Version " + data.run.version + (data.run.commit ? " · rules at " + data.run.commit.slice(0, 10) : ""))), main));
  const route = (first) => {
    const [path, parameters] = location.hash.replace(/^#\/?/, "").split("?");
    const [name, index] = path.split("/");
    const part = PARTS[name], view = VIEWS.find(([known]) => known === name) || VIEWS[0];
    const current = part ? part[1] : view[0];
    VIEWS.forEach(([known, title], at) => { if (known === current) { links[at].setAttribute("aria-current", "page"); links[at].scrollIntoView({ block: "nearest", inline: "center" }); document.title = title + " · Tidewatch hunt"; } else links[at].removeAttribute("aria-current"); });
    const content = part ? part[0](Number(index)) : view[2](new URLSearchParams(parameters || ""));
    main.replaceChildren(...[content].flat(Infinity).filter(Boolean));
    if (!first) { scrollTo(0, 0); main.focus({ preventScroll: true }); }
  };
  addEventListener("hashchange", () => route(false));
  route(true);
})();
