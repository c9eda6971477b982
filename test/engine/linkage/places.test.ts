import { test } from 'tap'
import { placeRecords, requireOwnPlaces } from '../../../src/engine/linkage/places.ts'
import { quoteText } from '../../../src/engine/session.ts'
import { openScratch } from '../scratch.ts'

const rows = 5_000

test('a map in which everybody has the place of the one before is no map', async (t) => {
  const { session, path } = await openScratch(t)
  const at = (name: string): string => quoteText(path(name))
  await session.run(`
    create temp view record_1 as select 's' || i as serial, i::integer as file_row from range(${rows}) as r(i);
    create table place_1 as select i::integer as file_row, (i * 7 % ${rows})::integer as ordinal
    from range(${rows}) as r(i);
    copy (select serial, ordinal from record_1 join place_1 using (file_row)) to ${at('right')} (format parquet);
    copy (
      select serial, ordinal
      from record_1 as record
      join place_1 as place on place.file_row = case when record.file_row < 4000 then record.file_row
        else record.file_row - 1 end
    ) to ${at('late')} (format parquet);
    copy (from read_parquet(${at('right')}) where ordinal % 2 = 0) to ${at('thinned')} (format parquet)`)
  await t.resolves(requireOwnPlaces(session, 1, [path('right')]))
  await t.resolves(requireOwnPlaces(session, 1, [path('thinned')]), 'what has gone is not missed')
  await t.rejects(requireOwnPlaces(session, 1, [path('late')]), { message: /out of step/ })
  await session.run(`
    create table place_2 as from place_1 where false;
    create temp view record_2 as from record_1 where false`)
  await t.resolves(requireOwnPlaces(session, 2, [path('right')]), 'nothing is in step')
})

test('a record without a place is a defect', async (t) => {
  const { session, path } = await openScratch(t)
  const file = path('tokens')
  const delivery = { wave: 1, files: [file] }
  await session.run(`
    copy (select 's' || i as serial from range(3) as r(i)) to ${quoteText(file)} (format parquet);
    create temp table beside (agency utinyint, file_row integer, "row" integer, same_4 boolean);
    create temp table placed (agency utinyint, ordinal integer, pass tinyint, pattern varchar, file_row integer);
    create temp table person ("row" integer, ordinal integer);
    insert into beside values (1, 0, null, null), (1, 2, null, null)`)
  const of = { agency: 1, name: 'one', deliveries: [delivery] }
  await t.rejects(placeRecords(session, of), { message: 'a record has no place' })
})
