/** Values that are marked, so that a search finds them wherever they were left. */
import { csvPart, type TestPart, testKey } from './exchange.ts'

const people = 200
const title = { en: 'Title', ko: '제목' }
/** A registration number. */
export const number = (person: number): string =>
  `900101-1${String(734_000 + person).padStart(6, '0')}`
export const serial = (person: number): string => `SERIALMARK${person}`
export const key = (person: number): string => testKey(number(person))
/** A table of the catalogue, but for its agency. */
export const table = {
  agency: 'spine',
  title,
  badRowsMaxShare: 0.5,
  columns: {
    code: { type: 'code', lengthMax: 20, title },
    day: { type: 'date', title },
    note: { type: 'text', lengthMax: 200, title },
  },
}
/** The persons. */
export const rows = Array.from({ length: people }, (_, person) => person)
export const header = 'serial,code,day,note'
export const keysPart = (): TestPart =>
  csvPart('', 1, ['serial,K1', ...rows.map((person) => `${serial(person)},${key(person)}`)])
export const tablePart = (name: string, more: string[] = []): TestPart =>
  csvPart(name, 1, [
    header,
    ...rows.map((person) => `${serial(person)},CODEMARK${person},20200101,PAYLOADMARK${person}`),
    ...more,
  ])
