/** Files that look like keys or passwords. A run's shards are public, so a doubtful file is left out. */

const KEY_NAMES = [
  /^id_(rsa|dsa|ecdsa|ed25519)/,
  /\.(pem|key|p8|p12|pfx|jks|keystore|kdbx|ppk|gpg|tfvars|mobileconfig)$/,
  /^\.env|\.env$/,
  /^\.?(credentials?|secrets?|passwords?|passwd|htpasswd|netrc|npmrc|pypirc|git-credentials|pgpass)(\.(json|ya?ml|toml|ini|txt|csv|xml))?$/,
  /^(wallet|keystore|service[-_]account).*\.json$/,
];

/** Whether a file of this name (without its folder) is expected to hold a key or a password. */
export function isKeyLikeName(name: string): boolean {
  const lower = name.toLowerCase();
  return KEY_NAMES.some((pattern) => pattern.test(lower));
}

/** Formats that their issuers gave a recognisable shape; the lengths keep words of prose and placeholders out. */
const SECRETS = new RegExp(
  [
    '-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----',
    '\\b(AKIA|ASIA)[0-9A-Z]{16}\\b',
    '\\bgh[pousr]_[0-9A-Za-z]{36}',
    '\\bgithub_pat_[0-9A-Za-z_]{50}',
    '\\bglpat-[0-9A-Za-z_-]{20}',
    '\\bnpm_[0-9A-Za-z]{36}',
    '\\bhf_[0-9A-Za-z]{30}',
    '\\bsk-(proj|ant-[a-z0-9]+)-[0-9A-Za-z_-]{32}',
    '\\bsk-[0-9A-Za-z]{40}',
    '\\b[sr]k_live_[0-9A-Za-z]{20}',
    '\\bxox[abprs]-[0-9A-Za-z-]{20}',
    '\\bAIza[0-9A-Za-z_-]{35}',
  ].join('|'),
);

/** Whether `text` holds a private key block or something in the shape of a well-known API key. */
export function holdsSecret(text: string): boolean {
  return SECRETS.test(text);
}
