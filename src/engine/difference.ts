import type { Difference } from '../core/disclosure.ts'
import { quoteText, type Session } from './session.ts'

/** How many persons only one of two lists of persons of one domain has; each is Parquet with the column pseudonym. */
export async function differenceOf(
  session: Session,
  lists: { earlier: string; these: string },
): Promise<Difference> {
  const [counted] = await session.rows<Difference>(`
    select count(*) filter (a.pseudonym is null) as "onlyThis",
      count(*) filter (b.pseudonym is null) as "onlyEarlier"
    from (select pseudonym from read_parquet(${quoteText(lists.earlier)})) a
    full join (select pseudonym from read_parquet(${quoteText(lists.these)})) b
      on a.pseudonym = b.pseudonym`)
  return counted ?? { onlyThis: 0, onlyEarlier: 0 }
}
