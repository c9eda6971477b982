/**
 * The form in which the trail leaves the service, to be checked by someone who trusts neither its
 * network nor its database: lines of JSON, UTF-8, one object a line.
 *
 *   header      which log, which leaves, and the roots of the whole subtrees before them (none from
 *               leaf 0)
 *   leaf        number, recorded hash, and the entry as the very text that was hashed
 *   checkpoint  every checkpoint that was signed on the way, right after the last leaf it covers:
 *               it says up to where the leaves are the ones that were signed
 *   end         the roots of the whole subtrees after the last leaf (none when it is the newest),
 *               and the signed checkpoint over everything
 *
 * Hashes are base 64. From these lines alone the root of the last checkpoint can be computed anew.
 */
import { z } from 'zod'

const position = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
const hash = z.string().length(44)
const hashes = z.array(hash).max(64)
const note = z.string().max(262_144)

const header = z.strictObject({
  kind: z.literal('header'),
  format: z.literal('gyeol-trail-1'),
  origin: z.string().min(1).max(255),
  from: position,
  to: position,
  left: hashes,
  verifierKeys: z.array(z.string().max(1_024)).max(64),
})
const leaf = z.strictObject({
  kind: z.literal('leaf'),
  number: position,
  hash,
  entry: z.string().max(65_536),
})
const checkpoint = z.strictObject({ kind: z.literal('checkpoint'), note })
const end = z.strictObject({ kind: z.literal('end'), right: hashes, note })

const trailLineSchema = z.discriminatedUnion('kind', [leaf, checkpoint, header, end])
const lineCharactersMax = 1_048_576

/** The first line: leaves `from` up to, not including, `to` of the log `origin`. */
export type TrailHeader = z.infer<typeof header>

/** One line of an exported trail. */
export type TrailLine = z.infer<typeof trailLineSchema>

/** The text of a line, without its newline. */
export function trailLine(line: TrailLine): string {
  return JSON.stringify(line)
}

/** The line in a text; `undefined` if it is none. */
export function readTrailLine(text: string): TrailLine | undefined {
  if (text.length > lineCharactersMax) return undefined
  try {
    return trailLineSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined // Not JSON.
  }
}
