/**
 * Ten published dummy persons. Their numbers fail the check digit of their time and so were never issued to anyone; their
 * fields are written the way files really are (hyphens, blanks, full width, small letters, Hangul in pieces), so that a
 * step of the recipe left out changes the key. The last has nothing usable: its keys must be empty.
 */
import type { FieldRule, Recipe } from './recipe.ts'
import type { RawPerson } from './recipe-key.ts'

type Dummy = { number: string; name: string; birthDate: string; sex: string; identifier: string }

const dummies: readonly Dummy[] = [
  dummy('900101-1000001', '가 나다', '1990-01-01', 'M', 'CANARY-1'),
  dummy('851231-2000001', '똠 방각', '19851231', 'F', 'CANARY 2'),
  dummy('000229-3000002', 'ＴＥＳＴ　３', '2000.02.29', 'm', 'ＣＡＮＡＲＹ３'),
  dummy('011130-4000001', '\u1105\u1161\u1106\u1161\u1107\u1161', '20011130', 'F', 'CANARY-4'),
  dummy('700815-5000001', 'Kim Test Person', '1970-08-15', 'M', 'CANARY-5'),
  dummy('640704-6000001', 'Nguyễn Thử', '1964/07/04', 'F', 'CANARY-6'),
  dummy('030303-7000002', 'Müller\u200b-Ñandú', '20030303', 'M', 'CANARY-7'),
  dummy('121212-8000001', '사 아자', '20121212', 'f', 'CANARY-8'),
  dummy('991231-9000002', '차카타', '18991231', 'M', 'CANARY-9'),
  dummy('000000-0000000', ' ', '00000000', 'X', ' '),
]

/** How many dummy persons there are; their numbers count from 1. */
export const canaryCount = dummies.length

/** The dummy persons with the fields that this recipe names, in order. Public. */
export function canaryPersons(recipe: Recipe): RawPerson[] {
  return dummies.map((person) =>
    Object.fromEntries(
      Object.entries(recipe.fields).map(([field, rule]) => [field, person[textFor[rule]]]),
    ),
  )
}

/** What stands in files where a number is not known. A key made from one is equal on thousands of persons. */
export const placeholders: readonly string[] = [
  '-',
  '.',
  '0',
  'X',
  'x',
  'NULL',
  'null',
  'NA',
  'N/A',
  'UNKNOWN',
  'unknown',
  '없음',
  '미상',
  '000000',
  '000000-0000000',
  '0000000000000',
  '1111111111111',
  '1111111111118',
  '111111-1111118',
  '111111-1111111',
  '1234561234567',
  '123456-1234567',
  '2222222222222',
  '7777777777777',
  '8888888888888',
  '9999999999999',
  '999999-9999999',
  '999999999',
  '000000000',
  '999-99-9999',
  '000-00-0000',
  '123-45-6789',
]

const textFor = {
  'registration-number': 'number',
  name: 'name',
  'name-tokens': 'name',
  'birth-date': 'birthDate',
  sex: 'sex',
  identifier: 'identifier',
} as const satisfies Record<FieldRule, keyof Dummy>

function dummy(...fields: [string, string, string, string, string]): Dummy {
  const [number, name, birthDate, sex, identifier] = fields
  return { number, name, birthDate, sex, identifier }
}
