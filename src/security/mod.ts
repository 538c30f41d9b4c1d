/** Who may come in, and what they may do: pure decisions, and the files they are read from. */
export * from "./file_diagnostic.ts";
export * from "./password_file.ts";
export * from "./password_file_edit.ts";
export * from "./password_gate.ts";
export * from "./password_hash.ts";
