// The code of an invitation stands behind the # of its link, which no server is sent: into the form with it.
"use strict";
const code = location.hash.slice(1);
if (code) {
  history.replaceState(null, "", location.pathname); // out of the address, and of what the browser keeps
  const form = document.querySelector("form.code");
  form.elements.token.value = code;
  form.requestSubmit();
}
