/**
 * Pass 0 for K1, and notices. Nearly every number is on one serial of each agency and with one K4, and one join settles it.
 * The others are **suspects** (some thousands of millions): for them alone every record is laid side by side.
 */
import type { LinkRules } from '../../core/passes.ts'
import { quoteText, type Session } from '../session.ts'
import { labelComponents } from './components.ts'
import { hubsOf } from './hubs.ts'

/**
 * Table `notice`: pairs of numbers that agencies' notices join, each once.
 *
 * @param files - Parquet: old_t1 UUID, new_t1 UUID.
 */
export function noticeStep(files: readonly string[]): string {
  const from =
    files.length === 0
      ? '(select null::uuid as old_t1, null::uuid as new_t1)'
      : `read_parquet([${files.map(quoteText).join(', ')}])`
  return `
    create temp table notice as
    select distinct least(old_t1, new_t1) as a, greatest(old_t1, new_t1) as b
    from ${from}
    where old_t1 <> new_t1`
}

/**
 * Table `suspect`: numbers with two K4, on two serials of an agency, in a notice, of a twin, in a decision or of a person
 * with a carried serial. A K4 that the spine does not have differs from every other. Needs `beside`, `k4_apart`, `notice`,
 * `twin_record`, `decided_token` and `carried_token`.
 */
export function suspectSteps(agencies: number): string[] {
  const bit = agencies < 62 ? '1::bigint << agency' : '1::hugeint << agency'
  return [
    // A bit for each of 64 records of the spine: where an agency has more records than bits, one of them is on two serials.
    `
    create temp table crowded as
    select agency, row >> 6 as block
    from beside
    where row is not null
    group by all
    having count(*) > bit_count(bit_or(1::ubigint << (row & 63)::ubigint))`,
    `
    create temp table suspect as
    from repeated_1
    union
    from k4_apart
    union
    select t1
    from spine_row
    where rowid in (
      select row
      from (select agency, row, row >> 6 as block from beside)
      semi join crowded using (agency, block)
      group by agency, row
      having count(*) > 1
    )
    union
    select t1
    from beside
    where row is null and t1 is not null
    group by t1
    having min(t4) <> max(t4) or count(*) > bit_count(bit_or(${bit}))
    union
    select unnest([a, b]) from notice
    union
    select t1 from twin_record where t1 is not null
    union
    select t1 from decided_token
    union
    from carried_token`,
  ]
}

/**
 * Tables `suspect_record`, `hub_1` (t1: numbers that stand for nobody) and `numbered`: the suspects' records with their
 * `number`, which is NULL for a hub, and else the least of the numbers that notices join.
 *
 * @returns how many notices were used and how many were set aside.
 */
export async function numberSuspects(
  session: Session,
  rules: LinkRules,
): Promise<{ used: number; setAside: number }> {
  await session.run(`
    create temp table suspect_record as select * from kept_record semi join suspect using (t1)`)
  await session.run(`create temp table hub_1 as ${hubsOf('t1', 'suspect_record', rules)}`)
  await session.run(`
    create temp table sound_notice as
    select a, b
    from notice
    where a not in (select t1 from hub_1) and b not in (select t1 from hub_1)`)
  await labelComponents(session, 'sound_notice', 'number_label')
  await session.run(`
    create temp table number_of as
    select node as t1, label as number
    from number_label
    semi join (
      select label from number_label group by label having count(*) <= ${rules.noticeNumbersMax}
    ) using (label)`)
  await session.run(`
    create temp table numbered as
    select record.*, hub_1.t1 is not null as is_hub,
      case when hub_1.t1 is null then coalesce(number_of.number, record.t1) end as number
    from suspect_record as record
    left join hub_1 on hub_1.t1 = record.t1
    left join number_of on number_of.t1 = record.t1`)
  const [counts] = await session.rows<{ notices: number; used: number }>(`
    select (select count(*) from notice) as notices, count(*) as used
    from sound_notice
    join number_of on number_of.t1 = a`)
  const used = counts?.used ?? 0
  return { used, setAside: (counts?.notices ?? 0) - used }
}
