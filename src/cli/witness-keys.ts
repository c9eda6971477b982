/** The witnesses that a verifier trusts, as a file. */
import { type Cosigner, witnessNameOf } from '../core/cosignature.ts'
import type { Arguments, Option } from './command.ts'
import { readNamedFile } from './files.ts'

/** The options of the commands that check cosignatures. */
export const witnessOptions = {
  witnesses: { value: 'file', meaning: 'verifier keys of witnesses you trust, one a line' },
  cosignatures: { value: 'count', meaning: 'how many of these witnesses must have cosigned' },
} as const satisfies Record<string, Option>

/** As many signatures as a note may have. */
const witnessesMax = 64

/** The witnesses whom the reader trusts, and how many of them must have cosigned. */
export type GivenWitnesses = { witnessKeys: string[]; cosignaturesMin?: number }

/**
 * What `--witnesses` and `--cosignatures` say.
 *
 * @param logKey - the option with the key of the log: without it there is no checkpoint that they could have cosigned.
 * @throws {Refusal} `not-found`, `input-malformed` of the file; `option-unknown` for a count without key or witnesses.
 */
export function witnessesGiven(given: Arguments, logKey: string): GivenWitnesses {
  const witnessKeys = witnessKeysGiven(given)
  const cosignaturesMin = given.whole('cosignatures', 1, witnessesMax)
  if (cosignaturesMin === undefined) return { witnessKeys }
  for (const name of [logKey, 'witnesses']) given.need(name)
  return { witnessKeys, cosignaturesMin }
}

/** The verifier keys in the file, each once. */
function witnessKeysGiven(given: Arguments): string[] {
  const path = given.text('witnesses')
  if (path === undefined) return []
  const keys = readNamedFile(path)
    .split(/\r?\n/)
    .filter((line) => line !== '')
  for (const key of keys) witnessNameOf(key)
  return [...new Set(keys)]
}

/** What is to be said of cosignatures that could not be checked, or that are not there. */
export function uncheckedCosignatures(
  { cosigners, others }: { cosigners: readonly Cosigner[]; others: number },
  witnessKeys: readonly string[],
): string[] {
  const there = new Set(cosigners.map(({ verifierKey }) => verifierKey))
  return [
    ...witnessKeys
      .filter((key) => !there.has(key))
      .map((key) => `what ${witnessNameOf(key)} saw: it has not cosigned this checkpoint`),
    ...(others > 0
      ? [`${others} cosignatures: give the verifier keys of their witnesses with --witnesses`]
      : []),
  ]
}

/** Who cosigned when, for people. */
export function cosignerLines(cosigners: readonly Cosigner[]): string[] {
  return cosigners.map(
    ({ verifierKey, timeSeconds }) =>
      `cosigned by ${witnessNameOf(verifierKey)} ${new Date(timeSeconds * 1000).toISOString()}`,
  )
}
