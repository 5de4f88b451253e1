// A page of a released version says at its head when a newer version exists.  Only such pages load this script.

const mark = document.querySelector(".te-edition");
const own = new URL("../", import.meta.url); // top of this version
const all = new URL("../", own); // top of all versions

const reply = await fetch(new URL("versions.json", all));
if (!reply.ok) throw new Error(`versions.json: ${reply.status}`);
const { latest } = await reply.json();
if (latest !== mark.dataset.version) {
  const link = document.createElement("a");
  link.href = new URL(`latest/${location.href.slice(own.href.length)}`, all);
  link.textContent = `version ${latest}`;
  const note = document.createElement("p");
  note.className = "te-newer";
  note.append(`You read version ${mark.dataset.version}. A newer version exists: `, link, ".");
  document.querySelector("main article").prepend(note);
}
