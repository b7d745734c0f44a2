// As `npm run build:css` makes it of index.css: one file, and a third smaller.
import '../lib/style.css';
