/** What the page is like for those who cannot see it. */

import { AxeBuilder } from "@axe-core/playwright";

const GRAVE = ["serious", "critical"];

/** What axe finds that is grave, each with its places. @param {import("playwright-core").Page} page @param {string} where */
export async function grave(page, where) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.filter(({ impact }) => GRAVE.includes(impact)).map(({ id, nodes }) => `${where}: ${id} at ${nodes.map(({ target }) => target).join(", ")}`);
}
