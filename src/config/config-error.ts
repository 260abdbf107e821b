/**
 * A setting that is missing or wrong. The message is one sentence for the operator; main.ts prints it and exits with 1.
 */
export class ConfigError extends Error {}
