// What must stand before a page is drawn, and what the theme and Sphinx's parts would write into each page: here in a file, so that
// the policy of the pages can forbid script in them.  build/staging puts it where the theme's script stood.

// The reader's choice of light or dark, before the first paint; what storage holds is one of three words or counts for nothing.
for (const [name, words] of [["mode", ["light", "dark", "auto"]], ["theme", ["light", "dark"]]]) {
  const stored = localStorage.getItem(name);
  document.documentElement.dataset[name] = words.includes(stored) ? stored : "auto";
}

// sphinx_togglebutton reads these; "var", since it looks for them by name.
var toggleHintShow = "Click to show";
var toggleHintHide = "Click to hide";
var toggleOpenOnPrint = "true";
var togglebuttonSelector = ".toggle, .admonition.dropdown";
