// The reader's own time beside each time in UTC; nothing is left on the screen once a session has ended.
"use strict";
// Values are shown once: what a browser keeps of a page for the way back has none.
addEventListener("pagehide", () => {
  for (const one of document.querySelectorAll(".values")) one.remove();
});
const own = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
for (const time of document.querySelectorAll("time[datetime]")) {
  const at = new Date(time.dateTime);
  if (at.getTimezoneOffset() === 0 || Number.isNaN(at.valueOf())) continue;
  const here = document.createElement("span");
  here.textContent = ` (here ${own.format(at)})`;
  time.append(here);
}
// What is shown does not stay when its session has ended: unused for too long, or signed out of in another window.
const seconds = Number(document.body.dataset.seconds);
if (seconds) {
  const windows = new BroadcastChannel("session");
  const over = () => {
    const main = document.createElement("main");
    const door = document.createElement("a");
    door.href = "/sign-in";
    door.textContent = "Your session has ended. Sign in";
    main.append(door);
    document.body.replaceChildren(main);
  };
  windows.onmessage = over;
  setTimeout(over, seconds * 1000);
  for (const form of document.querySelectorAll('form[action="/sign-out"], form[action="/me/end-all"]')) {
    form.addEventListener("submit", () => windows.postMessage("over"));
  }
}
