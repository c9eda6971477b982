/**
 * One entry of the trail: who did what to which object, from where, and how it ended.
 *
 * The rule: ids, counts and digests only. Never a key, a token, a serial, a personal value or free
 * text of a person. The leaf of the trail is the hash of exactly the bytes made here, so the form
 * is closed and canonical.
 */
import { z } from 'zod'
import { canonicalJson } from './canonical.ts'

const name = z.string().min(1).max(200)
const word = z.string().regex(/^[A-Za-z][A-Za-z0-9._-]{0,62}$/)
const count = z.number().int() // Whole and exact: within 2^53 - 1 either way.
const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const pairsMax = 100

const auditEntrySchema = z.strictObject({
  time: z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/),
  actor: z.strictObject({
    kind: z.enum(['account', 'agency', 'worker', 'service', 'command']),
    name,
    role: word.exactOptional(),
  }),
  from: name.exactOptional(),
  action: word,
  object: name,
  outcome: z.enum(['done', 'refused', 'failed']),
  project: z.uuid().exactOptional(),
  counts: z.record(word, count).refine(isBounded).exactOptional(),
  digests: z.record(word, sha256).refine(isBounded).exactOptional(),
  note: z.string().max(1_000).exactOptional(),
})

/**
 * `time`: database time, UTC to the millisecond. `actor.role`: the role the actor used. `from`:
 * network address or host. `object`: kind and id of what was acted on. `counts`: whole numbers.
 * `digests`: SHA-256 as 64 lower-case hex. `note`: a fixed sentence or a refusal's code.
 */
export type AuditEntry = z.infer<typeof auditEntrySchema>

/**
 * The bytes of an entry that are hashed and kept: canonical JSON (RFC 8785) in UTF-8.
 *
 * @throws {RangeError} if the entry is not of the closed form; names the place, never the value. A
 * defect in the caller, and the act that wanted to write it does not happen.
 */
export function entryBytes(entry: AuditEntry): Buffer {
  const parsed = auditEntrySchema.safeParse(entry)
  if (!parsed.success) {
    const place = parsed.error.issues[0]?.path[0] ?? 'entry'
    throw new RangeError(`an audit entry is malformed at ${String(place)}`)
  }
  return Buffer.from(canonicalJson(parsed.data), 'utf8')
}

function isBounded(pairs: Record<string, unknown>): boolean {
  return Object.keys(pairs).length <= pairsMax
}
