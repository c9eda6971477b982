/**
 * What people are told of errors that are no refusals of ours and no defects either: something around a command is not as it
 * must be. A sentence for each kind says what to do; what the error itself says may hold a value and is never shown.
 */

type Outage = { codes: RegExp; sentence: string }

/** By the code of an error, or of what caused it. */
const outages: readonly Outage[] = [
  {
    codes: /^(ECONN(REFUSED|ABORTED)|E(HOST|NET)UNREACH|ENOTFOUND|EAI_AGAIN|ETIMEDOUT)$/,
    sentence: 'Something that is needed cannot be reached. Check the URLs, and that it runs.',
  },
  {
    codes: /^(ECONNRESET|EPIPE)$/,
    sentence:
      'The other side cuts the connection. Check the URL, and that the certificate is registered.',
  },
  {
    codes: /^NO_ANSWER$/,
    sentence: 'The service has no time, or something that it needs is away. Try again later.',
  },
  {
    codes: /^(28P01|28000|3D000|42501)$/,
    sentence:
      'The database does not let this role in. Check role, password and database of its URL.',
  },
  {
    codes:
      /^((DEPTH_ZERO_)?SELF_SIGNED_CERT(_IN_CHAIN)?|UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT(_LOCALLY)?))$/,
    sentence:
      'The authority that is trusted does not vouch for the service. Name its certificate with --ca.',
  },
  {
    codes: /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    sentence: 'The certificate of the service is for another name. Reach it by one that it has.',
  },
  {
    codes: /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/,
    sentence: 'The certificate of the service is out of its time. Have its operator renew it.',
  },
  {
    codes: /^ERR_OSSL_(X509_KEY_VALUES_MISMATCH|PEM_.*)$/,
    sentence:
      'Certificate and key are not PEM, or do not belong together. Name both files of one pair.',
  },
  {
    codes: /^(ENOSPC|EDQUOT)$/,
    sentence: 'There is no room left. Free some and start again.',
  },
  {
    codes: /^(EACCES|EPERM|EROFS|ENOENT|ENOTDIR|EISDIR|EEXIST|ENOTEMPTY)$/,
    sentence:
      'A file or directory cannot be read or written. Check the paths, and who may use them.',
  },
]

const causesMax = 8

/** What to tell of an error, with its code; undefined for a defect. */
export function outageSentence(error: unknown): string | undefined {
  const codes = codesOf(error)
  for (const code of codes) {
    const outage = outages.find((known) => known.codes.test(code))
    if (outage) return `${outage.sentence} (${code})`
  }
  return undefined
}

/** The codes of an error and of its causes, the innermost first. */
function codesOf(error: unknown): string[] {
  const codes: string[] = []
  let at = error
  for (let depth = 0; depth < causesMax && at instanceof Error; depth += 1) {
    if ('code' in at) codes.unshift(String(at.code))
    at = at.cause
  }
  return codes
}
