// SPDX-License-Identifier: ISC
// console.mjs BASE OPERATORS SHOTS KIND: the console in Chromium, driven through playwright-core; axe-core looks at each page in both languages. Prints a line
// "ok - …" or "not ok - …" a check (tests/e2e/console_browser.sh makes TAP of it).
// IMPORT (in the environment): a command that brings a new generation. SHOTS: a folder for screenshots, or "".
// BASE: the readers' address; OPERATORS: the path of the operators' socket; KIND: empty, real, forty, thousands.
import { createRequire } from "node:module";
import { execSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { connect, createServer } from "node:net";

const require = createRequire(process.env.MODULES + "/");
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const [base, socket, shots, kind] = process.argv.slice(2);
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

const check = (holds, what, detail = "") => {
	console.log(`${holds ? "ok" : "not ok"} - ${what}`);
	if (!holds && detail)
		console.log(String(detail).split("\n").map((line) => "# " + line).join("\n"));
};

// A browser speaks to no Unix socket: as an operator's `ssh -L` would, this carries the bytes.
const relay = createServer((from) => {
	const to = connect(socket);
	from.pipe(to).on("error", () => from.destroy());
	to.pipe(from).on("error", () => to.destroy());
});
await new Promise((listening) => relay.listen(0, "127.0.0.1", listening));
const operators = `http://127.0.0.1:${relay.address().port}`;

if (shots)
	mkdirSync(shots, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
const faults = [];

// A context in LANGUAGE; what a page says is wrong (a policy that is broken, a script that fails) is collected. SCRIPTS: axe needs them.
const open = async (language, options = {}) => {
	const context = await browser.newContext({ locale: language, viewport: { width: 1280, height: 900 }, ...options });
	const page = await context.newPage();
	page.on("console", (message) => message.type() === "error" && faults.push(`${page.url()}: ${message.text()}`));
	page.on("pageerror", (error) => faults.push(`${page.url()}: ${error.message}`));
	page.on("request", (request) => [base, operators].includes(new URL(request.url()).origin) || faults.push(`${page.url()} asks ${request.url()}`));
	return page;
};

const accessible = async (page, what) => {
	// Through the debugger, as a person's tools would: the page's own policy lets no script in.
	await page.evaluate(axe);
	const found = await page.evaluate((only) => axe.run(document, { runOnly: only, resultTypes: ["violations"] }), tags);
	const lines = found.violations.map((v) => `${v.id}: ${v.help}\n  ` + v.nodes.slice(0, 3).map((node) => node.html.slice(0, 200) + " " + (node.any[0]?.message ?? "")).join("\n  "));
	check(lines.length === 0, `axe-core finds nothing on ${what}`, lines.join("\n"));
};

const visit = async (page, address, what, status = 200) => {
	const answer = await page.goto(address);
	check(answer.status() === status, `${what} is answered`, answer.status());
	if (shots)
		await page.screenshot({ path: `${shots}/${what.replace(/[^a-z0-9]+/g, "-")}.png`, fullPage: true });
	await accessible(page, what);
	return answer;
};

const lang = (page) => page.locator("html").getAttribute("lang");

for (const language of ["fr-FR", "en-GB"]) {
	const short = language.slice(0, 2);
	const page = await open(language);
	const answer = await visit(page, base + "/", `${kind} list ${short}`);

	check(await lang(page) === short, `${kind} ${short}: the page is in the browser's language`);
	check(/default-src 'none'/.test(answer.headers()["content-security-policy"]) && !/unsafe/.test(answer.headers()["content-security-policy"])
		&& /frame-ancestors 'none'/.test(answer.headers()["content-security-policy"]) && answer.headers()["x-content-type-options"] === "nosniff"
		&& !answer.headers()["set-cookie"], `${kind} ${short}: a policy without inline, nosniff, no cookie`);
	if (kind === "empty") {
		check(await page.locator("table").count() === 0 && await page.locator("main p").count() > 0, `empty ${short}: it says that nothing is there`);
		faults.length = 0; // a browser calls a 404 an error
		await visit(page, base + "/datasets/nothing", `empty problem ${short}`, 404);
		faults.length = 0;
	}
	if (kind === "real" || kind === "forty") {
		const name = kind === "real" ? "villes" : "jeu-0000";
		await page.locator(`a[href^="/datasets/${name}"]`).first().click();
		await page.waitForLoadState();
		check(page.url().includes(`/datasets/${name}`), `${kind} ${short}: a click leads to the dataset`);
		await visit(page, page.url(), `${kind} dataset ${short}`);
		check(await page.locator("svg[role=img] circle").count() >= 2, `${kind} ${short}: the history is drawn`);
		check(await page.locator("caption").count() >= 4, `${kind} ${short}: every table has its caption`);
		check(await page.title() !== "owned" && await page.locator("main img, main script").count() === 0, `${kind} ${short}: hostile texts stay texts`);
		await page.locator("header a[hreflang]").click();
		await page.waitForLoadState();
		check(await lang(page) !== short && page.url().includes(`/datasets/${name}?lang=`), `${kind} ${short}: the other language, of the same page`);
		await page.locator("header nav a").first().click();
		await page.waitForLoadState();
		check(await lang(page) !== short, `${kind} ${short}: and it is kept from page to page`);
		const refused = await page.request.get(base + "/held", { headers: { accept: "text/html" } });
		check(refused.status() === 403, `${kind} ${short}: what waits is not shown to readers`, refused.status());
	}
	if (kind === "real" || kind === "forty") {
		for (const name of kind === "real" ? ["held", "link", "log"] : ["held"])
			await visit(page, `${operators}/${name}`, `${kind} ${name} ${short}`);
		await page.goto(operators + "/");
		check(await page.locator("header nav a").count() === 5, `${kind} ${short}: the operators' pages are in their navigation`);
		await page.goto(operators + "/held");
		check(await page.locator(".command code", { hasText: "clapet-inside approve" }).count() >= 1, `${kind} ${short}: the next command is shown`);
		check(await page.title() !== "owned" && await page.locator("main img, main script").count() === 0, `${kind} ${short}: hostile texts stay texts for operators`);
	}
	if (kind === "forty" && short === "fr") {
		const narrow = await open(language, { viewport: { width: 320, height: 640 }, colorScheme: "dark" });
		await visit(narrow, base + "/datasets/jeu-0000", "forty dataset narrow dark fr");
		check(await narrow.evaluate(() => document.documentElement.scrollWidth <= 320), "at 320 pixels nothing scrolls sideways but tables (WCAG 1.4.10)");
		await visit(narrow, base + "/", "forty list narrow dark fr");
		check(await narrow.evaluate(() => document.documentElement.scrollWidth <= 320), "nor on the list");
		await narrow.context().close();
	}
	await page.context().close();
}

// Without scripts, by keyboard: skip link, search, the next page.
if (kind === "forty" || kind === "thousands") {
	const page = await open("fr-FR", { javaScriptEnabled: false });
	await page.goto(base + "/");
	await page.keyboard.press("Tab");
	check(await page.locator(".skip:focus").count() === 1, `${kind}: the first Tab reaches the skip link`);
	await page.keyboard.press("Enter");
	check(page.url().endsWith("#main"), `${kind}: which leads to the content`);
	if (kind === "thousands") {
		check(await page.locator("tbody tr").count() === 50, "thousands: fifty on a page");
		await page.locator(".pages a[rel=next]").click();
		await page.waitForLoadState();
		check(page.url().includes("page=2") && await page.locator(".pages [aria-current=page]").innerText().then((text) => text.trim().endsWith("2")),
			"thousands: the next page, without a script");
	}
	await page.locator("#q").fill("ecoles elementaires");
	await page.locator("#q").press("Enter");
	await page.waitForLoadState();
	const rows = await page.locator("tbody tr").count();
	check(rows >= (kind === "thousands" ? 20 : 1) && rows <= 50 && await page.locator("tbody tr", { hasText: "Écoles élémentaires" }).count() === rows,
		`${kind}: search without accents finds accents`, rows);
	await page.goto(base + "/?q=<script>&state=held&sort=date&page=99");
	check(await page.locator("main script").count() === 0, `${kind}: what is searched for stays text`);
	await page.goto(base + "/?state=held&sort=rows");
	check(await page.locator("tbody .badge", { hasText: "retenu" }).count() === await page.locator("tbody tr").count(), `${kind}: a state filters`);
	await page.context().close();
}
// With scripts: a command is copied, and who looks is told of a new generation.
if (kind === "real") {
	const page = await open("en-GB", { permissions: ["clipboard-read", "clipboard-write"] });
	await page.goto(operators + "/held");
	await page.locator("button.copy").first().click();
	await page.waitForFunction(() => document.querySelector("button.copy").textContent === "Copied");
	check((await page.evaluate(() => navigator.clipboard.readText())).startsWith("clapet-inside approve villes"), "real: the command is copied");
	await page.goto(base + "/");
	check(await page.locator("#news").innerText() === "", "real: no news yet");
	execSync(process.env.IMPORT, { stdio: "ignore" });
	await page.waitForSelector("#news a", { timeout: 60000 });
	check(/A new generation is in force: [0-9]+/.test(await page.locator("#news").innerText()), "real: a new generation is told of");
	await page.context().close();
}
check(faults.length === 0, `${kind}: no page breaks its policy or asks elsewhere`, faults.join("\n"));
await browser.close();
process.exit();
