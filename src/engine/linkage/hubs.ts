import type { LinkRules } from '../../core/passes.ts'

/**
 * The query of the hubs of one key column: tokens with too many different K4 or on too many serials of one agency.
 *
 * @param from - a table that holds every record of each token that may be a hub.
 */
export function hubsOf(column: string, from: string, rules: LinkRules): string {
  return `
    select ${column}
    from ${from}
    where ${column} is not null
    group by ${column}
    having count(distinct t4) > ${rules.hubK4Max}
    union
    select ${column}
    from (
      select ${column}, count(*) as serials from ${from} where ${column} is not null group by ${column}, agency
    )
    where serials > ${rules.hubSerialsMax}`
}
