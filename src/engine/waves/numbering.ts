/**
 * Which number a person has. Who was known before keeps it; a number that was given up is never given again.
 *
 * A known person is where the first of the spine records that came with its number is now (its **keeper**). A founding
 * that keeps one known person has its number; one that keeps several is a **merge**: the survivor is who was released
 * first, then the smaller number. A founding that keeps none founds a person; if it has records of a known person all the
 * same, that is a **split**.
 */
import type { Session } from '../session.ts'

/**
 * Tables `claim` (person, born, founding, serial, version), `keeper` (person, founding), `merged` (person, other: the
 * survivor) and `named` (founding, person: of every founding), empty before the first linkage. Needs `spine_place` and
 * `person_of`.
 *
 * @throws {Error} when a known person has no record any more: a defect, for spine in is spine out.
 */
export async function keepNumbers(
  session: Session,
  { isFirst, version }: { isFirst: boolean; version: number },
): Promise<void> {
  if (isFirst) return await session.run(emptyStep)
  for (const step of [...steps, namedStep(version)]) await session.run(step)
  const [counted] = await session.rows<{ lost: number }>(
    `select (select count(*) from known_person) - (select count(*) from keeper) as lost`,
  )
  if (counted?.lost !== 0) throw new Error('a known person is in no founding')
}

/** View `spine_place` (serial, founding): every record of the spine, and what it founds. */
export const spinePlaceStep = `
  create temp view spine_place as
  select serial, founding from settled_spine
  union all
  select serial, t1 from record anti join suspect using (t1) where is_spine and t1 is not null`

const emptyStep = `
  create temp table merged (person uuid, other uuid);
  create temp table claim (person uuid, born uuid, founding uuid, serial varchar, version integer);
  create temp table keeper (person uuid, founding uuid);
  create temp table named (founding uuid, person uuid)`

const steps = [
  `create temp table claim as
    select known.person, known.born, spine_place.founding, serial, known.version
    from known_spine as known
    join spine_place using (serial)`,
  `create temp table keeper as
    with spread as (
      select person, min(founding) as founding, max(founding) as other from claim group by person
    )
    select person, founding from spread where founding = other
    union all
    select person, claim.founding
    from claim
    semi join (from spread where founding <> other) as torn using (person)
    qualify row_number() over (partition by person order by born = person desc, version, serial) = 1`,
  `create temp table ranked as
    select person, founding,
      row_number() over (partition by founding order by first_release, person) as rank
    from (
      select keeper.*, (
          select min(released.version) from released where released.version >= known_person.version
        ) as first_release
      from keeper
      join known_person using (person)
      semi join (select founding from keeper group by founding having count(*) > 1) as several using (founding)
    )`,
  `create temp table kept as
    select founding, min(person) as person from keeper group by founding having count(*) = 1
    union all
    select founding, person from ranked where rank = 1`,
  `create temp table merged as
    select ranked.person, kept.person as other
    from ranked
    join kept using (founding)
    where rank > 1`,
]

/** A number that somebody has or had is not given to another, so a founding may need a second number. */
function namedStep(version: number): string {
  const again = `md5('founded again ' || founding::varchar || ${version}::varchar)::uuid`
  return `
    create temp table named as
    select founding, person from kept
    union all
    select founding, case when used_number.person is null then fresh.person else person_of(${again}) end
    from (
      select founding, person_of(founding) as person
      from (select distinct founding from spine_place)
      anti join kept using (founding)
    ) as fresh
    left join used_number using (person)`
}
