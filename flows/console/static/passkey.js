// Asks the reader's authenticator for what the page's form needs, and sends the form with its answer.
"use strict";
for (const form of document.querySelectorAll("form.passkey")) {
  form.addEventListener("submit", async (event) => {
    const words = form.elements.words;
    if (event.submitter?.name === "put" || words?.value.trim()) return; // they are put under what is signed first
    event.preventDefault();
    const button = form.querySelector("button:not([name])");
    const wrong = form.querySelector(".wrong");
    button.disabled = true; // a second click asks for nothing
    wrong.hidden = true;
    try {
      const asked = JSON.parse(form.dataset.ask);
      const made = form.dataset.make
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(asked) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked) });
      form.elements.answer.value = JSON.stringify(made.toJSON());
      form.submit();
    } catch {
      wrong.hidden = false;
      button.disabled = false;
    }
  });
}
