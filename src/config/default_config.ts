import { buildConfig } from "./_build_config.ts";
import { checkDocument } from "./_check_document.ts";
import { newTable } from "./_toml_tree.ts";
import type { Config } from "./config.ts";

/** What holds where the file says nothing: one listener on the loopback address, all else bounded. */
export const DEFAULT_CONFIG: Config = buildConfig(
  checkDocument(newTable({ name: "", offset: 0 }, "header"), () => {}),
);
