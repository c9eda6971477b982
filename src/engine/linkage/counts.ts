/** What a run tells of itself: counts, by agency and wave, by pass and outcome. Never a serial, never a token. */
import type { AgencyCounts } from '../../core/linkage-report.ts'
import { type Outcome, outcomes } from '../../core/passes.ts'
import type { FlowCounts } from '../../core/told-flow.ts'
import type { Session } from '../session.ts'
import { tokenColumns } from './beside.ts'
import { outcomeOf } from './persons.ts'
import { rowsOf } from './records.ts'
import { type WeakerType, weakerTypes } from './shared-keys.ts'

/** What came of some serials; with which keys they were sent is counted apart. */
export type Outcomes = Omit<FlowCounts, 'valid'>

/** Counts serials with a key by which they can be found: all but the veto. */
function validCount(types: readonly WeakerType[]): string {
  return `count(coalesce(${['t1', ...types.map((type) => `t${type}`)].join(', ')})) as valid`
}

/**
 * Counts serials of an agency by what came of them.
 *
 * @param from - ordinal and pass: `linked`, or what it is made of.
 * @param of - `persons`: how many there are.
 */
export async function outcomesOf(
  session: Session,
  from: string,
  { isSpine, persons }: { isSpine: boolean; persons: number },
): Promise<Outcomes> {
  // A bit a person: a tenth of what telling ordinals apart by hash costs.
  const rows = await session.rows<{
    outcome: Outcome
    pass: number
    serials: number
    linked: number
    met: number | null
  }>(`
    with place as materialized (
      select pass, count(*) as serials, count(ordinal) as linked, any_value(ordinal) as ordinal,
        bitstring_agg(ordinal, 0, ${persons}) as met
      from ${from}
      group by pass, ordinal is null
    )
    select ${outcomeOf} as outcome, pass, sum(serials)::bigint as serials, sum(linked)::bigint as linked,
      (select bit_count(bit_or(met)) from place) as met
    from (select *, ${isSpine} as is_spine from place)
    group by outcome, pass
    order by outcome, pass`)
  const counts: Outcomes = {
    serials: 0,
    linked: 0,
    duplicates: 0,
    linkedByPass: {},
    ...(Object.fromEntries(outcomes.map((name) => [name, 0])) as Record<Outcome, number>),
  }
  for (const { outcome, pass, serials, linked } of rows) {
    counts.serials += serials
    counts.linked += linked
    counts[outcome] += serials
    if (linked > 0) counts.linkedByPass[pass] = (counts.linkedByPass[pass] ?? 0) + linked
  }
  counts.duplicates = counts.linked - (rows[0]?.met ?? 0)
  return counts
}

/** What the records of an agency were sent with. */
export type Sent = Pick<AgencyCounts, 'valid' | 'withK1' | 'withKey'>

/** Counts the keys of every agency, by its number. Needs `beside` and `spine_row`. */
export async function sentKeys(
  session: Session,
  agencies: readonly { agency: number; isSpine: boolean; keyTypes: readonly string[] }[],
  types: readonly WeakerType[],
): Promise<ReadonlyMap<number, Sent>> {
  const tokens = tokenColumns(types)
  const spine = agencies.find(({ isSpine }) => isSpine)?.agency ?? 0
  const rows = await session.rows<Record<string, number>>(`
    select agency, ${tokens.map((token) => `count(${token}) as ${token}`).join(', ')},
      ${validCount(types)}
    from (
      select agency, ${tokens.join(', ')} from beside
      union all
      select ${spine}, ${tokens.join(', ')} from spine_row
    )
    group by agency`)
  const counted = new Map(rows.map((row) => [row['agency'], row]))
  return new Map(
    agencies.map(({ agency, keyTypes }) => {
      const of = (column: string): number => counted.get(agency)?.[column] ?? 0
      const withKey = Object.fromEntries(keyTypes.map((type) => [type, of(type.replace('K', 't'))]))
      return [agency, { valid: of('valid'), withK1: withKey['K1'] ?? 0, withKey }]
    }),
  )
}

/** How many serials of a delivery can be found. */
export async function validOf(
  session: Session,
  delivery: { files: readonly string[] },
): Promise<number> {
  const [sent] = await session.rows<{ valid: number }>(
    `select ${validCount(weakerTypes)} from ${rowsOf(delivery)}`,
  )
  return sent?.valid ?? 0
}

/** How many tokens of each key type are hubs. */
export async function hubCounts(session: Session): Promise<Record<string, number>> {
  const [counts] = await session.rows<Record<string, number>>(`
    select (select count(*) from hub_1) as "K1", (select count(*) from hub_2) as "K2",
      (select count(*) from hub_3) as "K3", (select count(*) from hub_5) as "K5"`)
  return counts ?? {}
}

/** Pairs of spine persons that agree in K2 or K3, and how many of them were made one. */
export async function spinePairCounts(
  session: Session,
): Promise<{ possible: number; match: number }> {
  const [counts] = await session.rows<{ possible: number; match: number }>(`
    select count(*) filter (not is_one) as possible, count(*) filter (is_one) as match from spine_pair`)
  return { possible: counts?.possible ?? 0, match: counts?.match ?? 0 }
}
