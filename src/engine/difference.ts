import type { Difference } from '../core/disclosure.ts'
import { quoteText, type Session } from './session.ts'

/**
 * How many persons only one of two lists of persons of one domain has; each is Parquet with the column pseudonym. Pseudonyms
 * that were given up or came up since the earlier list because persons were found to be one or two do not count: those who
 * hold both lists are told of them. Needs the table `changed_pseudonym`.
 *
 * @param lists.version - the key index version that the earlier list rests on.
 */
export async function differenceOf(
  session: Session,
  { earlier, these, version }: { earlier: string; these: string; version: number },
): Promise<Difference> {
  const told = (pseudonym: string, reason: string): string => `
      select ${pseudonym} from changed_pseudonym where reason = '${reason}' and version > ${version}`
  const [counted] = await session.rows<Difference>(`
    select
      (select count(*) from read_parquet(${quoteText(these)}) as list
        where pseudonym not in (from read_parquet(${quoteText(earlier)}) select pseudonym)
          and pseudonym not in (${told('other', 'split')})) as "onlyThis",
      (select count(*) from read_parquet(${quoteText(earlier)}) as list
        where pseudonym not in (from read_parquet(${quoteText(these)}) select pseudonym)
          and pseudonym not in (${told('old', 'merge')})) as "onlyEarlier"`)
  return counted ?? { onlyThis: 0, onlyEarlier: 0 }
}
