/** What a run tells of itself: counts, by agency and wave, by pass and outcome. Never a serial, never a token. */
import type { AgencyCounts, FlowCounts } from '../../core/linkage-report.ts'
import { type Outcome, outcomes } from '../../core/passes.ts'
import type { Session } from '../session.ts'
import { place } from './maps.ts'
import { outcomeOf } from './persons.ts'

/** Counts the serials of a table of `linkage/maps.ts` by what came of them. */
export async function flowOf(
  session: Session,
  table: string,
  isSpine: boolean,
): Promise<FlowCounts> {
  const rows = await session.rows<{
    outcome: Outcome
    pass: number
    serials: number
    linked: number
  }>(`
    select ${outcomeOf} as outcome, pass, count(*) as serials, count(ordinal) as linked
    from (
      select ${isSpine} as is_spine, ${place.ordinal} as ordinal, ${place.pass} as pass
      from ${table}
    )
    group by outcome, pass
    order by outcome, pass`)
  const counts: FlowCounts = {
    serials: 0,
    linked: 0,
    linkedByPass: {},
    ...(Object.fromEntries(outcomes.map((name) => [name, 0])) as Record<Outcome, number>),
  }
  for (const { outcome, pass, serials, linked } of rows) {
    counts.serials += serials
    counts.linked += linked
    counts[outcome] += serials
    if (linked > 0) counts.linkedByPass[pass] = (counts.linkedByPass[pass] ?? 0) + linked
  }
  return counts
}

/** The counts of an agency from table `linked`, which holds its records. */
export async function agencyCountsOf(
  session: Session,
  { agency, keyTypes }: { agency: number; keyTypes: readonly string[] },
  { flow, persons }: { flow: FlowCounts; persons: number },
): Promise<AgencyCounts> {
  const withKey = keyTypes.map((type) => `count(${type.replace('K', 't')}) as ${type}`)
  const [keys] = await session.rows<Record<string, number>>(
    `select ${withKey.join(', ')} from record_${agency}`,
  )
  // A bit a person: a tenth of what telling ordinals apart by hash costs.
  const [met] = await session.rows<{ persons: number | null }>(`
    select bit_count(bitstring_agg(${place.ordinal}, 0, ${persons})) as persons from linked`)
  return {
    ...flow,
    withK1: keys?.['K1'] ?? 0,
    withKey: keys ?? {},
    duplicates: flow.linked - (met?.persons ?? 0),
  }
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
