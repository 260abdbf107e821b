export default () => globalThis.testPostgres.release();
