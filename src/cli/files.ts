/** Files that people name on the command line. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { z } from 'zod'
import { Refusal } from '../core/errors.ts'

const placeCodes: ReadonlySet<unknown> = new Set([
  'EEXIST',
  'ENOSPC',
  'EACCES',
  'EISDIR',
  'ENOENT',
  'ENOTDIR',
  'EPERM',
  'EROFS',
])

/** The text of a file. @throws {Refusal} `not-found`. */
export function readNamedFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Refusal(
      'not-found',
      'A file that was named cannot be read. Check its path.',
      {},
      { cause },
    )
  }
}

/**
 * A JSON file as its schema reads it. @throws {Refusal} `not-found`, `input-malformed` with the
 * place that is wrong.
 */
export function readNamedJson<T>(path: string, schema: z.ZodType<T>): T {
  const text = readNamedFile(path)
  const sentence = 'A file that was named does not hold the JSON that it should.'
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    throw new Refusal('input-malformed', sentence) // The parser quotes the text; we do not.
  }
  const parsed = schema.safeParse(document)
  if (parsed.success) return parsed.data
  const place = (parsed.error.issues[0]?.path ?? []).join('.').slice(0, 200)
  throw new Refusal('input-malformed', sentence, { place })
}

/**
 * Writes a file that is not there yet. `mode` 0o600 for secrets. @throws {Refusal}
 * `already-exists`, `option-unknown`.
 */
export function writeNewFile(path: string, content: string, mode = 0o644): void {
  try {
    writeFileSync(path, content, { mode, flag: 'wx', flush: true })
  } catch (cause) {
    throw writingRefusalOf(cause)
  }
}

/** Why a file that was named could not be written. */
export function writingRefusalOf(cause: unknown): unknown {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (!placeCodes.has(code)) return cause
  const [kind, sentence] =
    code === 'EEXIST'
      ? ([
          'already-exists',
          'The file is there already and is not replaced. Name another.',
        ] as const)
      : code === 'ENOSPC'
        ? (['disk-full', 'There is no room left. Free some and start again.'] as const)
        : (['option-unknown', 'The file cannot be written there. Name another place.'] as const)
  return new Refusal(kind, sentence, {}, { cause })
}

/** @throws {Refusal} `already-exists` for a path that is taken. */
export function requireNoFile(path: string): void {
  if (!existsSync(path)) return
  const sentence = 'The file is there already and is not replaced. Name another.'
  throw new Refusal('already-exists', sentence)
}
