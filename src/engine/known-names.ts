/**
 * What we or an agency call a person, searched for in the texts of a file that is to leave: serials of any row and agency,
 * person numbers (given up or not), pseudonyms of other releases. A name is found where it stands alone: the whole value, or
 * between characters that are neither letters nor digits; `.`, `_` and `-` may be anywhere in it, so that in a chain like
 * `file-A-B.txt` every link and every few of them could be one. It is found as it is; a name all in upper or all in lower
 * case also in the other.
 *
 * A name counts if there is room for 50 bits in it: 15 digits, 11 letters, or 10 of both. Of ten million shorter ones some
 * would be met by chance in a million different words: a serial 1234 in every number.
 */
import type { ReleasedColumn } from '../core/policy.ts'
import { mayHoldIdentifier } from './release-rows.ts'
import { quoteIdentifier, quoteText, type Session } from './session.ts'

/** A file of names. */
export type NameList = {
  kind: 'link-map' | 'persons' | 'person-changes' | 'release-persons'
  path: string
}

/** The file, and its columns; of a column of few values those that leave are known already. */
export type Searched = {
  parquet: string
  columns: readonly ReleasedColumn[]
  few?: ReadonlyMap<string, { leaving: string }>
}

const nameLengthMin = 10
const digitsMin = 15
const lettersMin = 11
/** Of a name that stands in a longer chain; a UUID has five. */
const linksMax = 8
/** The least number of `digitsMin` digits. */
const numberMin = 10 ** (digitsMin - 1)

/** True where there is room for a name. */
function countsAsName(word: string): string {
  return `(case when not regexp_matches(${word}, '[0-9]') then strlen(${word}) >= ${lettersMin}
    when regexp_matches(${word}, '[A-Za-z]') then strlen(${word}) >= ${nameLengthMin}
    else strlen(${word}) >= ${digitsMin} end)`
}

const personNumber = ['person::varchar', `replace(person::varchar, '-', '')`] as const
const namesOf = {
  'link-map': ['serial'],
  persons: personNumber,
  'person-changes': personNumber,
  'release-persons': ['pseudonym'],
} as const satisfies Record<NameList['kind'], readonly string[]>

/**
 * Makes the table `word` of all words that could be a name. A text is cut into runs of the characters of names, which costs
 * a look at each; only a different run in which there is room for a name is taken apart, and most texts have none.
 *
 * @returns whether there is any.
 */
export async function collectWords(session: Session, of: Searched): Promise<boolean> {
  const runs = searched(of).map(
    ({ index, value, isLong, from }) => `
      select ${index} as "column", unnest(regexp_extract_all(${value}, '[0-9A-Za-z._-]{${nameLengthMin},}')) as run
      from ${from} where ${isLong}`,
  )
  if (runs.length === 0) return false
  await session.run(`
    create or replace temp table run as
    select distinct "column", run from (${runs.join(' union all ')}) where ${countsAsName('run')};
    create or replace temp table word as
    select "column", word
    from (select "column", unnest(${wordsOf('run')}) as word from run) where ${countsAsName('word')};
    drop table run`)
  return (await session.rows('from word limit 1')).length > 0
}

/**
 * The first column in which a name of the list stands, and in how many rows. Needs the table `word`. The case is changed in
 * the words and not in the list: the engine then passes over what of a list no word can equal, and a few words cost nothing.
 */
export async function nameAmongWords(
  session: Session,
  of: Searched,
  { kind, path }: NameList,
): Promise<{ column: string; rows: number } | undefined> {
  const names = namesOf[kind].map(
    (name) => `select ${name} as word from read_parquet(${quoteText(path)})`,
  )
  await session.run(`create or replace temp table known_word as
    select distinct cased."column", cased.word
    from (${names.join(' union all ')}) as names
    join (select "column", unnest([word, upper(word), lower(word)]) as word from word) as cased using (word)`)
  const [first] = await session.rows<{ column: number }>(
    'select "column" from known_word order by "column" limit 1',
  )
  const found = searched(of).find(({ index }) => index === first?.column)
  if (!found) return undefined
  const cased = ['value', 'upper(value)', 'lower(value)'].map(wordsOf)
  const [counted] = await session.rows<{ rows: number }>(`
    select count(*) as rows
    from (select ${found.value} as value from read_parquet(${quoteText(of.parquet)}) where ${found.isLong})
    where list_has_any(list_concat(${cased.join(', ')}), (
      select list(word) from known_word where "column" = ${found.index}))`)
  return { column: found.name, rows: counted?.rows ?? 0 }
}

/** The columns whose values are not of our own making or of a closed list, as texts. */
function searched({ columns, parquet, few }: Searched) {
  const file = `read_parquet(${quoteText(parquet)})`
  return columns.flatMap((column, index) => {
    if (!mayHoldIdentifier(column)) return []
    const name = quoteIdentifier(column.name)
    const from = few?.get(column.name)?.leaving ?? file
    const [value, isLong] =
      column.type === 'string'
        ? [name, `strlen(${name}) >= ${nameLengthMin}`]
        : [`${name}::varchar`, `${name} >= ${numberMin}`]
    return [{ index, name: column.name, from, value, isLong }]
  })
}

/**
 * Words; words that hang together by signs that a serial may have inside, and those among them; what has signs at an end.
 */
function wordsOf(value: string): string {
  const found = (shape: string): string => `regexp_extract_all(${value}, '${shape}')`
  const alone = found(`[0-9A-Za-z]{${nameLengthMin},}`)
  const together = found('[0-9A-Za-z]+(?:[._-]+[0-9A-Za-z]+)+')
  const atEnds = found(
    `[._-][0-9A-Za-z._-]{${nameLengthMin - 1},}|[0-9A-Za-z._-]{${nameLengthMin - 1},}[._-]`,
  )
  const chains = found('(?:[0-9A-Za-z]+[._-]+){2,}[0-9A-Za-z]+')
  // A date is the commonest chain, and too short for a name within.
  const within = `flatten(list_transform(${chains}, lambda chain: case
    when strlen(chain) < ${nameLengthMin + 2} then [] else ${linksOf('chain')} end))`
  return `list_concat(${alone}, ${together}, ${atEnds}, ${within})`
}

/** Every two and more links of a chain that stand together, up to `linksMax`. */
function linksOf(chain: string): string {
  return `flatten(list_transform([regexp_extract_all(${chain}, '[0-9A-Za-z]+[._-]*')], lambda links:
      flatten(list_transform(range(1, len(links)), lambda first:
        list_transform(range(first + 1, least(len(links), first + ${linksMax - 1}) + 1), lambda last:
          rtrim(array_to_string(links[first:last], ''), '._-'))))))`
}
