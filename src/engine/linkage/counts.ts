/** What a run tells of itself: counts, by agency and wave, by pass and outcome. Never a serial, never a token. */
import { type Outcome, outcomes } from '../../core/passes.ts'
import type { Session } from '../session.ts'
import { outcomeOf } from './persons.ts'

/** The records of one agency, or the serials of one of its deliveries, by what came of them. */
export type FlowCounts = {
  /** Rows of keys: one a serial. */
  serials: number
  outcomes: Record<Outcome, number>
  /** Pass → serials that it linked; founded ones are under 9. */
  linkedByPass: Record<string, number>
  /** With a place in the list of persons. */
  linked: number
}

/** One agency over all its waves. */
export type AgencyCounts = FlowCounts & {
  /** Key type → serials that have it. */
  withKey: Record<string, number>
  /** Linked serials beyond the first of their person. */
  duplicates: number
}

/** Counts the rows of a table with serial, is_spine, ordinal and pass. */
export async function flowOf(session: Session, table: string): Promise<FlowCounts> {
  const rows = await session.rows<{
    outcome: Outcome
    pass: number
    serials: number
    linked: number
  }>(`
    select ${outcomeOf} as outcome, pass, count(*) as serials, count(ordinal) as linked
    from ${table}
    group by outcome, pass
    order by outcome, pass`)
  const counts: FlowCounts = {
    serials: 0,
    outcomes: Object.fromEntries(outcomes.map((name) => [name, 0])) as Record<Outcome, number>,
    linkedByPass: {},
    linked: 0,
  }
  for (const { outcome, pass, serials, linked } of rows) {
    counts.serials += serials
    counts.linked += linked
    counts.outcomes[outcome] += serials
    if (linked > 0) counts.linkedByPass[pass] = (counts.linkedByPass[pass] ?? 0) + linked
  }
  return counts
}

/** The counts of an agency from table `linked`, which holds its records. */
export async function agencyCountsOf(
  session: Session,
  { agency, keyTypes }: { agency: number; keyTypes: readonly string[] },
): Promise<AgencyCounts> {
  const withKey = keyTypes.map((type) => `count(${type.replace('K', 't')}) as ${type}`)
  const [keys] = await session.rows<Record<string, number>>(
    `select ${withKey.join(', ')} from record_${agency}`,
  )
  const [twice] = await session.rows<{ duplicates: number }>(
    'select count(ordinal) - count(distinct ordinal) as duplicates from linked',
  )
  return {
    ...(await flowOf(session, 'linked')),
    withKey: keys ?? {},
    duplicates: twice?.duplicates ?? 0,
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
