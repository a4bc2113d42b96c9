// The reader's own time beside each time in UTC. Without this script the pages lack nothing else.
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
