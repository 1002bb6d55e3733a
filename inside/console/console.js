// SPDX-License-Identifier: ISC
// All that the console's pages do beside being read: they say when a newer generation is in force, and copy a command. Without this file, or without
// scripts, nothing else is missing.
"use strict";

const news = document.getElementById("news");
if (news && window.EventSource) {
	const events = new EventSource("/events");
	events.addEventListener("generation", (event) => {
		const generation = JSON.parse(event.data).generation;
		if (generation <= Number(news.dataset.generation))
			return;
		const link = document.createElement("a");
		link.href = location.href;
		link.textContent = news.dataset.reload;
		news.replaceChildren(news.dataset.text.replace("{1}", String(generation)) + " ", link);
	});
	addEventListener("pagehide", () => events.close());
}

if (navigator.clipboard) {
	for (const button of document.querySelectorAll("button.copy")) {
		const words = button.textContent;
		button.hidden = false;
		button.addEventListener("click", async () => {
			await navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent);
			button.textContent = button.dataset.copied;
			setTimeout(() => { button.textContent = words; }, 2000);
		});
	}
}
