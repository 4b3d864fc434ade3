// Opens pages in Chromium as people do, and says what is wrong with them, as JSON.
// node look.js CHROMIUM FOLDER PAGE…: on a telephone (320 px), on a desk, and on paper.
const { chromium } = require("playwright-core");
const path = require("node:path");

const AXE = require.resolve("axe-core/axe.min.js");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"];
const VIEWS = { phone: { width: 320, height: 640 }, desk: { width: 1280, height: 900 } };

async function look(page, file, folder, view) {
  await page.goto("file://" + path.resolve(file));
  await page.addScriptTag({ path: AXE });
  const found = await page.evaluate((rules) => axe.run({ runOnly: rules }), RULES);
  const name = path.basename(file, ".html");
  await page.screenshot({ path: path.join(folder, `${name}-${view}.png`), fullPage: true });
  return {
    file: path.basename(file),
    view,
    violations: found.violations.map((v) => ({
      id: v.id,
      impact: v.impact,
      where: v.nodes.map((n) => n.target.join(" ")).slice(0, 5),
    })),
    checked: found.passes.length,
    overflows: await page.evaluate(() => document.documentElement.scrollWidth > innerWidth),
    // On paper nothing may be wider than the sheet, and nothing may be hidden in a scroll bar.
    cut: await page.evaluate(() =>
      [...document.querySelectorAll(".table")].some((t) => t.scrollWidth > t.clientWidth + 1),
    ),
  };
}

async function main([executablePath, folder, ...files]) {
  const args = process.getuid() === 0 ? ["--no-sandbox"] : [];
  const browser = await chromium.launch({ executablePath, args });
  const found = [];
  for (const file of files) {
    for (const [view, viewport] of Object.entries(VIEWS)) {
      const page = await browser.newPage({ viewport });
      found.push(await look(page, file, folder, view));
      await page.close();
    }
    // A4 landscape without its margins, at 96 px an inch.
    const page = await browser.newPage({ viewport: { width: 1032, height: 703 } });
    await page.emulateMedia({ media: "print" });
    found.push(await look(page, file, folder, "paper"));
    const name = path.basename(file, ".html");
    await page.pdf({ path: path.join(folder, `${name}.pdf`), preferCSSPageSize: true });
    await page.close();
  }
  await browser.close();
  console.log(JSON.stringify(found));
}

main(process.argv.slice(2));
