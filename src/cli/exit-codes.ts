/**
 * What the shell is told: 0 done, 1 defect or outage, 2 wrong use, and from 10 on one number for
 * each way to refuse.
 *
 * A number is a promise to scripts: it is never changed and never used again.
 */
import type { RefusalCode } from '../core/errors.ts'

/** The exit code of each refusal. */
export const exitCodes = {
  'option-unknown': 2,
  'address-taken': 10,
  'already-exists': 11,
  'body-too-large': 12,
  'canary-mismatch': 13,
  'certificate-missing': 14,
  'column-missing': 15,
  'column-unknown': 16,
  'credentials-wrong': 17,
  'delivery-incomplete': 18,
  'digest-differs': 19,
  'disk-full': 20,
  'finding-missing': 21,
  'grant-missing': 22,
  'identifier-in-payload': 23,
  'input-malformed': 24,
  'key-destroyed': 25,
  'key-not-canonical': 26,
  'keyring-refused': 27,
  'manifest-differs': 28,
  'not-found': 29,
  'outside-period': 30,
  'own-act': 31,
  'passphrase-wrong': 32,
  'policy-refused': 33,
  'queue-refused': 34,
  'schema-unknown': 35,
  'sealed-object-damaged': 36,
  'signature-wrong': 37,
  'state-conflict': 38,
  'too-many-attempts': 39,
  'too-many-bad-rows': 40,
  'media-type-unknown': 41,
  'range-unsatisfiable': 42,
  'cosignatures-missing': 43,
  'history-differs': 44,
  'epoch-retired': 45,
  'file-changed': 46,
  'wave-differs': 47,
} as const satisfies Record<RefusalCode, number>

/**
 * The exit code of what was thrown and is no refusal: a defect, or an outage of something the
 * command needs.
 */
export const defectExitCode = 1

/**
 * The exit code of `audit verify` for a trail that does not hold, of the demo for an invariant that
 * failed.
 */
export const untrueExitCode = 3
