/**
 * Keys that are held back. When the registry corrects the number (or birth) of a record so that it becomes that of another
 * known person, two persons would become one; that is for people to decide. Until then the record keeps the keys it had, so
 * that neither person loses what is linked to it, and the pair is a case.
 */
import type { Session } from '../session.ts'

/**
 * Table `held` (serial, t1, t4: the keys to go by) and `held_pair` (serial, other: records of the spine that would be one
 * person).
 *
 * @param sent - the spine's records as they were sent: serial, t1, t4; undefined: nothing can be compared with what was
 *   known.
 * @returns how many records keep the keys they had.
 */
export async function holdKeys(session: Session, sent: string | undefined): Promise<number> {
  if (sent === undefined) {
    await session.run(`
      create temp table held_pair (serial varchar, held_t1 uuid, held_t4 uuid, other varchar);
      create temp table held (serial varchar, t1 uuid, t4 uuid)`)
    return 0
  }
  await session.run(`
    create temp table held_pair as
    with changed as (
      select sent.serial, sent.t1, known.person, known.t1 as held_t1, known.t4 as held_t4, label
      from ${sent} as sent
      join known_spine as known using (serial)
      left join spine_label using (serial)
      where sent.t1 is not null
        and (sent.t1 is distinct from known.t1 or sent.t4 is distinct from known.t4)
    )
    select changed.serial, held_t1, held_t4, second.serial as other
    from changed
    join ${sent} as second on second.t1 = changed.t1
    join known_spine as rival on rival.serial = second.serial and rival.person <> changed.person
    left join spine_label on spine_label.serial = second.serial
    where spine_label.label is null or spine_label.label is distinct from changed.label`)
  await session.run(`
    create temp table held as
    select serial, any_value(held_t1) as t1, any_value(held_t4) as t4 from held_pair group by serial`)
  const [counted] = await session.rows<{ held: number }>('select count(*) as held from held')
  return counted?.held ?? 0
}
