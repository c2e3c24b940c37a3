// In the place of modules that the page has no use for; see build.js. As CommonJS, so that any name can be imported.
exports.isReady = () => false;
exports.waitReady = () => Promise.resolve(false);
