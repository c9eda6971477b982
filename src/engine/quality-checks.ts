/** The implausibilities: each asks of linked records beside the spine's person what cannot be true of one person. */

import type { CheckRule } from '../core/quality-counts.ts'
import type { RawQuality } from '../core/quality-raw.ts'
import type { Session } from './session.ts'

/** Of the first vaccination against COVID-19 in Korea (Korea Disease Control and Prevention Agency). */
const rolloutDay = '2021-02-26'
/** Claims may be of days after death for a while: statements are closed later than care ends. */
const serviceAfterDeathDays = 60

/** When a rule can be asked, and when it flags. */
const rules: Record<CheckRule, { asked: string; flags: string }> = {
  'sex-differs': {
    asked: 'linked.sex_number is not null and spine.sex_number is not null',
    flags: 'linked.sex_number <> spine.sex_number',
  },
  'birth-year-differs': {
    asked: 'linked.birth is not null and spine.birth is not null',
    flags: 'linked.birth <> spine.birth',
  },
  'two-death-dates': {
    asked: 'linked.died_first is not null',
    flags: 'death.first < death.last',
  },
  'death-before-diagnosis': {
    asked: 'linked.died_last is not null and spine.diagnosed is not null',
    flags: 'linked.died_last < spine.diagnosed',
  },
  'service-after-death': {
    asked: 'linked.served is not null and death.last is not null',
    flags: `linked.served > death.last + ${serviceAfterDeathDays}`,
  },
  'cancer-of-other-sex': {
    asked: `(linked.sex_number is not null and (spine.has_womens or spine.has_mens))
      or (spine.sex_number is not null and (linked.has_womens or linked.has_mens))`,
    flags: `(spine.has_womens and linked.sex_number = 1) or (spine.has_mens and linked.sex_number = 2)
      or (linked.has_womens and spine.sex_number = 1) or (linked.has_mens and spine.sex_number = 2)`,
  },
  'vaccination-before-rollout': {
    asked: 'linked.vaccinated is not null',
    flags: `linked.vaccinated < date '${rolloutDay}'`,
  },
}

const columns = Object.entries(rules).flatMap(([rule, { asked, flags }]) => [
  `count(*) filter (${asked}) as "${rule} asked"`,
  `count(*) filter ((${asked}) and (${flags})) as "${rule} flags"`,
])

/** A line an agency and pass, with two columns a rule: `<rule> asked` and `<rule> flags`. */
export const checkCounts = `
  with death as (
    select ordinal, min(died_first) as first, max(died_last) as last
    from linked
    where died_first is not null
    group by ordinal
  )
  select linked.agency, linked.pass, ${columns.join(',\n    ')}
  from linked
  join spine using (ordinal)
  left join death using (ordinal)
  group by all
  order by all`

/** How often two persons of the spine would differ by chance. */
export async function chancesOf(session: Session): Promise<RawQuality['chanceOfDifference']> {
  const chanceOf = async (column: string): Promise<number> => {
    const [row] = await session.rows<{ chance: number | null }>(`
      select 1 - sum((persons / total) ** 2) as chance
      from (
        select count(*) as persons, sum(count(*)) over () as total
        from spine where ${column} is not null group by ${column}
      )`)
    return row?.chance ?? 0
  }
  return { sex: await chanceOf('sex_number'), birthYear: await chanceOf('birth') }
}
