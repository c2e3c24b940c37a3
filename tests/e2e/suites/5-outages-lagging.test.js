// The same suite where finality lags, as it does on a parachain.

import '../lib/lagging.js';
import './5-outages.test.js';
