export default async () => {
  await globalThis.testRun.end();
  await globalThis.testPostgres.release();
};
