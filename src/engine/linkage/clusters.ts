import type { Session } from '../session.ts'
import { labelComponents } from './components.ts'
import { weakerTypes } from './shared-keys.ts'

/**
 * Components over all keys, links or not: persons that hang together through keys that are no hubs. They change no link;
 * they show how far a chain of shared keys would reach.
 *
 * @returns number of persons in a component, from 2 → how many such components.
 */
export async function clusterSizes(session: Session): Promise<Record<string, number>> {
  // A person is its ordinal, an unlinked record a number below zero.
  await session.run(`
    create temp table hanging as
    select coalesce(by_weaker.ordinal, record.ordinal, -1 - record.rowid)::bigint as node,
      record.number, t2, t3, t5, coalesce(by_weaker.ordinal, record.ordinal) is null as is_unlinked
    from sound_row as record
    left join by_weaker using (agency, serial)`)
  const byKey = weakerTypes.map(
    (type) => `
      select min(node) over (partition by t${type}) as a, node as b
      from hanging where t${type} is not null`,
  )
  await session.run(`
    create temp table hanging_edge as
    select distinct a, b from (
      ${byKey.join(' union all ')}
      union all
      select ordinal, node from hanging join person on person.t1 = hanging.number where is_unlinked
      union all
      select ordinal, node
      from hanging
      join settled on settled.number = hanging.number and settled.is_spine
      where is_unlinked
      union all
      select a.ordinal, b.ordinal
      from spine_pair
      join person as a on a.founding = spine_pair.first
      join person as b on b.founding = spine_pair.second
    )
    where a <> b`)
  await labelComponents(session, 'hanging_edge', 'hanging_label')
  const rows = await session.rows<{ persons: number; clusters: number }>(`
    select persons, count(*) as clusters
    from (select count(*) filter (node >= 0) as persons from hanging_label group by label)
    where persons > 1
    group by persons
    order by persons`)
  return Object.fromEntries(rows.map(({ persons, clusters }) => [String(persons), clusters]))
}
