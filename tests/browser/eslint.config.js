// SPDX-License-Identifier: LGPL-2.1-or-later
import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  {
    files: ["**/*.js"],
    languageOptions: { globals: { ...globals.browser, cockpit: "readonly" }, sourceType: "module" },
    linterOptions: { reportUnusedDisableDirectives: true },
    rules: {
      eqeqeq: "error", "no-var": "error", "prefer-const": "error", "no-implicit-globals": "error", "no-eval": "error",
      "no-shadow": "error", "object-shorthand": "error", curly: ["error", "multi-line"],
      "no-restricted-properties": ["error", { object: "cockpit", property: "permission", message: "It reloads the page." }],
    },
  },
  { ignores: ["preact/", "htm/", "po.*.js"] },
];
