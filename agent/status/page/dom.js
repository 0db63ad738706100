/* Elements. Whatever comes from the agent gets here as text, never as markup. */

function byId(id) {
  return document.getElementById(id);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children); /* makes text nodes of strings */
  return node;
}

function make(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function makeSvg(tag, attributes, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/* Touches the document only when the text has changed, so that a selection in it stays. */
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function setClass(node, name) {
  if (node.className !== name) node.className = name;
}

/*
 * Shows a list: an item keeps its element for as long as its key is there, so that focus, selection
 * and open details stay. create() returns {node, update(item)}.
 */
function createList(container, keyOf, create) {
  const shown = new Map();
  return function update(items) {
    const keys = new Set(items.map(keyOf));
    for (const [key, entry] of shown) {
      if (keys.has(key)) continue;
      entry.node.remove();
      shown.delete(key);
    }
    items.forEach((item, at) => {
      const key = keyOf(item);
      if (!shown.has(key)) shown.set(key, create());
      const entry = shown.get(key);
      entry.update(item);
      if (container.children[at] !== entry.node) container.insertBefore(entry.node, container.children[at] || null);
    });
  };
}

/* A dl of names and texts. An undefined text leaves the row out. */
function createFacts(list) {
  const update = createList(list, (row) => row[0], function create() {
    const term = make("dt"), value = make("dd"), node = make("div", {class: "fact"}, term, value);
    return {node, update(row) { setText(term, row[0]); setText(value, row[1]); }};
  });
  return (rows) => update(rows.filter((row) => row[1] !== undefined && row[1] !== ""));
}
