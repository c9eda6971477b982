/**
 * The rules by which records become persons (`shared/LINKAGE.md`): what each pass asks and what comes of it, and a slow,
 * obvious implementation against which the engine's SQL is tested. A record is linked or it is not, for a reason that can
 * be named; nothing depends on the order of agencies, parts or rows.
 */
import { z } from 'zod'

/** The rule set a linkage names. It changes whenever the same inputs could link differently. */
export const rulesVersion = 'gyeol-passes-1'

/** The settings of a project's linkage. */
export const linkRulesSchema = z.strictObject({
  /** A key seen with more different K4 than this is a hub: it stands for nobody. */
  hubK4Max: z.int().min(1).max(1_000).default(3),
  /** A key on more serials of one agency than this is a hub. */
  hubSerialsMax: z.int().min(1).max(1_000).default(3),
})

/** Checked settings. */
export type LinkRules = z.infer<typeof linkRulesSchema>

/**
 * What came of a record. `founded`: of the spine, and a person because of it. `none`: no person has its key.
 * `quarantined`: its key is a hub. `conflict`: its key names a person whom something forbids it to be.
 */
export type Outcome = 'founded' | 'perfect' | 'match' | 'conflict' | 'quarantined' | 'none'

/** The passes in order. Those without keys here are for keys that a linkage does not compare yet. */
export const passes = [
  { pass: 0, when: 'K1 is a hub', outcome: 'quarantined' },
  { pass: 1, when: 'K1 equal, K4 equal', outcome: 'perfect' },
  { pass: 2, when: 'K1 equal, K4 missing on a side', outcome: 'match' },
  { pass: 3, when: 'K1 equal, K4 different', outcome: 'conflict' },
  { pass: 9, when: 'nothing', outcome: 'none' },
] as const satisfies readonly { pass: number; when: string; outcome: Outcome }[]

/** One row of keys. Keys are compared and nothing else; any text that stands for the token will do. */
export type KeyRecord = {
  agency: string
  isSpine: boolean
  isDuplicateFree: boolean
  serial: string
  k1: string | undefined
  k4: string | undefined
}

/** What came of one record; the person is a text that is equal exactly for records of one person. */
export type Settled = { outcome: Outcome; person: string | undefined }

/**
 * Links records, one at a time and looking at all the others each time: the reference.
 *
 * @param records - one a serial and agency; every spine record becomes a person or joins one.
 * @returns what came of each, in the order of `records`.
 */
export function linkedByReference(records: readonly KeyRecord[], rules: LinkRules): Settled[] {
  const hubs = hubsOf(records, rules)
  const first = records.map((record) =>
    record.isSpine ? settledSpine(record, records, hubs) : settledOther(record, records, hubs),
  )
  const withoutSecondK4 = first.map((settled, index) => {
    if (!isFound(settled) || records[index]?.k4 === undefined) return settled
    const k4s = records.filter((_, at) => first[at]?.person === settled.person).map(({ k4 }) => k4)
    return new Set(k4s.filter((k4) => k4 !== undefined)).size > 1 ? conflict : settled
  })
  return withoutSecondK4.map((settled, index) => {
    const record = records[index]
    if (!isFound(settled) || !record?.isDuplicateFree) return settled
    const serials = records.filter(
      (other, at) =>
        other.agency === record.agency && withoutSecondK4[at]?.person === settled.person,
    )
    return serials.length > 1 ? conflict : settled
  })
}

const conflict: Settled = { outcome: 'conflict', person: undefined }

function isFound({ outcome }: Settled): boolean {
  return outcome === 'perfect' || outcome === 'match'
}

function hubsOf(records: readonly KeyRecord[], rules: LinkRules): Set<string> {
  const hubs = new Set<string>()
  for (const { k1 } of records) {
    if (k1 === undefined) continue
    const same = records.filter((record) => record.k1 === k1)
    const k4s = new Set(same.map(({ k4 }) => k4).filter((k4) => k4 !== undefined))
    const mostSerials = Math.max(
      ...same.map(({ agency }) => same.filter((record) => record.agency === agency).length),
    )
    if (k4s.size > rules.hubK4Max || mostSerials > rules.hubSerialsMax) hubs.add(k1)
  }
  return hubs
}

/** A spine record is always somebody: the number's person, or a person of its own when the number is missing or contested. */
function settledSpine(
  record: KeyRecord,
  records: readonly KeyRecord[],
  hubs: ReadonlySet<string>,
): Settled {
  const ownPerson = `serial ${record.serial}`
  if (record.k1 === undefined) return { outcome: 'founded', person: ownPerson }
  if (hubs.has(record.k1)) return { outcome: 'quarantined', person: ownPerson }
  const group = spineOf(record.k1, records)
  if (group.length === 1) return { outcome: 'founded', person: `K1 ${record.k1}` }
  if (record.isDuplicateFree) return { outcome: 'conflict', person: ownPerson }
  if (k4sOf(group).size <= 1) return { outcome: 'founded', person: `K1 ${record.k1}` }
  const person = record.k4 === undefined ? ownPerson : `K1 ${record.k1} K4 ${record.k4}`
  return { outcome: 'conflict', person }
}

function settledOther(
  record: KeyRecord,
  records: readonly KeyRecord[],
  hubs: ReadonlySet<string>,
): Settled {
  const { k1, k4 } = record
  if (k1 === undefined) return { outcome: 'none', person: undefined }
  if (hubs.has(k1)) return { outcome: 'quarantined', person: undefined }
  const group = spineOf(k1, records)
  if (group.length === 0) return { outcome: 'none', person: undefined }
  const k4s = k4sOf(group)
  if (group.length > 1 && group[0]?.isDuplicateFree) return conflict
  if (group.length > 1 && k4s.size > 1) {
    const isOne = k4 !== undefined && k4s.has(k4)
    return isOne ? { outcome: 'perfect', person: `K1 ${k1} K4 ${k4}` } : conflict
  }
  if (k4 === undefined || k4s.size === 0) return { outcome: 'match', person: `K1 ${k1}` }
  return k4s.has(k4) ? { outcome: 'perfect', person: `K1 ${k1}` } : conflict
}

function spineOf(k1: string, records: readonly KeyRecord[]): KeyRecord[] {
  return records.filter((record) => record.isSpine && record.k1 === k1)
}

function k4sOf(records: readonly KeyRecord[]): Set<string> {
  return new Set(records.flatMap(({ k4 }) => (k4 === undefined ? [] : [k4])))
}
