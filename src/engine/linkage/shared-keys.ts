/**
 * What the weaker keys say. Nearly every K2, K3 and K5 stands with one number and no other, and has nothing to add: its
 * records are one person's already, or nobody's. Kept are the tokens that stand with two numbers, with none, or with a
 * suspect one.
 */
import type { LinkRules } from '../../core/passes.ts'
import { hubsOf } from './hubs.ts'
import { placedQuery } from './persons.ts'

export const weakerTypes = [2, 3, 5] as const
export type WeakerType = (typeof weakerTypes)[number]

/**
 * Tables `shared_<n>` for the types that are sent, and `kept_record`: every record of a shared token or of a suspect number,
 * or that people decided on. No other is laid side by side with another, so that the token files are read once for all of
 * them. Needs `suspect` and `decided`.
 */
export function keptSteps(types: readonly WeakerType[]): string[] {
  return [
    ...types.map(sharedStep),
    `create temp table kept_record as
      select * from record where ${['t1 in (from suspect)', ...amongShared(types)].join(' or ')}`,
    // People may decide on a record without a number.
    `insert into kept_record
      from (from record semi join decided using (agency, serial))
      anti join kept_record using (agency, serial)`,
    // A token of a suspect that is not shared by itself stands with that number alone: all its records are kept.
    ...types.map(
      (type) => `insert into shared_${type}
      select distinct t${type}
      from kept_record semi join suspect using (t1) anti join shared_${type} using (t${type})
      where t${type} is not null`,
    ),
  ]
}

/** Table `sound_row`: the records of shared tokens, with hubs emptied, and `hub_<n>`. */
export function sharedKeySteps(types: readonly WeakerType[], rules: LinkRules): string[] {
  const where = types.length === 0 ? 'false' : `(${amongShared(types).join(' or ')})`
  return [
    `create temp table shared_row as ${placedQuery(where)}`,
    ...weakerTypes.map(
      (type) => `create temp table hub_${type} as ${hubsOf(`t${type}`, 'shared_row', rules)}`,
    ),
    `create temp table sound_row as
      select * replace (
        case when t2 in (from hub_2) then null else t2 end as t2,
        case when t3 in (from hub_3) then null else t3 end as t3,
        case when t5 in (from hub_5) then null else t5 end as t5)
      from shared_row`,
  ]
}

/** A token that the spine and others have with one number, and nobody otherwise, stands with that number alone. */
function sharedStep(type: WeakerType): string {
  const token = `t${type}`
  return `
    create temp table shared_${type} as
    with odd as (
      select t1, ${token} from beside where ${token} is not null and same_${type} is distinct from true
    )
    select ${token}
    from (
      from odd
      union all
      select t1, ${token}
      from spine_row
      where ${token} in (select ${token} from odd) or ${token} in (from repeated_${type})
    )
    group by ${token}
    having min(t1) <> max(t1) or (count(t1) < count(*) and count(*) > 1)`
}

function amongShared(types: readonly WeakerType[]): string[] {
  return types.map((type) => `t${type} in (from shared_${type})`)
}
