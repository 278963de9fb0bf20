/** The schema's file in POLICY_DIR. Apart from whoever knows Cedar, which is 4 MiB of WebAssembly, for those who only read the directory. */
export const SCHEMA_FILE = 'fluxgate.cedarschema';
