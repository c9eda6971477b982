/** A project that two agencies deliver to, for tests of what the interface refuses. */
import type { Test } from 'tap'
import type { ApiClient } from '../support/api-client.ts'
import { csvPart, openTestProject, type TestPart, testKey } from '../support/exchange.ts'
import { startTestService, type TestService } from '../support/service.ts'

export type HttpStage = {
  service: TestService
  /** Operator and custodian. */
  operator: ApiClient
  spine: ApiClient
  other: ApiClient
}

const title = { en: 'Title', ko: '제목' }

/** Everything that a column can be. */
const visits = {
  agency: 'other',
  title,
  badRowsMaxShare: 0.5,
  columns: {
    code: { type: 'code', lengthMax: 10, title },
    day: { type: 'date', title },
    count: { type: 'integer', min: 0, max: 1000, title },
    note: { type: 'text', lengthMax: 200, title },
  },
}

/** A project of both agencies with a table each, by name. */
export function stageProposal(name: string): { name: string } & Record<string, unknown> {
  return {
    name,
    recipe: { version: 'gyeol-1', fields: { number: 'identifier' }, keyTypes: { K1: ['number'] } },
    catalogue: {
      name: 'hostile',
      version: '1',
      tables: { cases: { ...visits, agency: 'spine' }, visits },
    },
    agencies: [
      { agency: 'spine', isSpine: true, keyTypes: ['K1'] },
      { agency: 'other', keyTypes: ['K1'] },
    ],
  }
}

/** Starts it all; ends with the test. */
export async function startHttpStage(
  t: Pick<Test, 'teardown'>,
  { cosignaturesMin = 0, ...places }: { vault?: string; cosignaturesMin?: number } = {},
): Promise<HttpStage> {
  const service = await startTestService(t, places)
  const operator = await service.person('one', ['operator', 'custodian'])
  const two = await service.person('two', ['custodian'])
  const spine = await service.agency('spine')
  const other = await service.agency('other')
  await openTestProject([operator, two], { ...stageProposal('hostile'), cosignaturesMin })
  return { service, operator, spine, other }
}

/** The header of a part of either table. */
export const tableHeader = 'serial,code,day,count,note'

/** A sound part of keys for so many persons. */
export function keysPart(rows: number, number = 1): TestPart {
  const ids = Array.from({ length: rows }, (_, row) => `s${number}-${row}`)
  return csvPart('', number, ['serial,K1', ...ids.map((id) => `${id},${testKey(id)}`)])
}

/** A sound part of a table for the persons of `keysPart`. */
export function tablePart(table: string, rows: number, number = 1): TestPart {
  const lines = Array.from({ length: rows }, (_, row) => `s${number}-${row},0${row},20200229,1,ok`)
  return csvPart(table, number, [tableHeader, ...lines])
}

/** Opens a delivery of the agency; its id. */
export async function openDelivery(agency: ApiClient, wave = 1): Promise<string> {
  const { body } = await agency.post('/v1/projects/hostile/deliveries', { wave })
  return body.delivery
}
