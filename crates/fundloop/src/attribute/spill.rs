//! Rows set aside on disk while a file is larger than memory should hold, to be read back bucket by bucket.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A temporary file of one thread, made when it is first needed and removed at the end.
#[derive(Default)]
pub struct Spill {
    file: Option<(PathBuf, Mutex<File>)>,
    end: u64,
    /// Where in the file the bytes of each bucket are.
    segments: Vec<Vec<Range<u64>>>,
}

impl Spill {
    pub fn put(&mut self, bucket: usize, bytes: &[u8]) -> io::Result<()> {
        let (_, file) = match &mut self.file {
            Some(file) => file,
            none => none.insert(create()?),
        };
        file.get_mut().map_err(|_| io::Error::other("a thread has panicked"))?.write_all(bytes)?;
        if self.segments.len() <= bucket {
            self.segments.resize_with(bucket + 1, Vec::new);
        }
        let end = self.end + bytes.len() as u64;
        self.segments[bucket].push(self.end..end);
        self.end = end;
        Ok(())
    }

    /// All bytes of a bucket, in the order they were put.
    pub fn bytes(&self, bucket: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        if let (Some((_, file)), Some(segments)) = (&self.file, self.segments.get(bucket)) {
            let mut file = file.lock().map_err(|_| io::Error::other("a thread has panicked"))?;
            for segment in segments {
                file.seek(SeekFrom::Start(segment.start))?;
                (&*file).take(segment.end - segment.start).read_to_end(&mut bytes)?;
            }
        }
        Ok(bytes)
    }
}

impl Drop for Spill {
    fn drop(&mut self) {
        if let Some((path, file)) = self.file.take() {
            drop(file);
            // The system clears its temporary folder; a file left behind is no error worth a word.
            let _left_behind = fs::remove_file(path);
        }
    }
}

/// A new file in the system's temporary folder (`TMPDIR`), which nobody else may have made.
fn create() -> io::Result<(PathBuf, Mutex<File>)> {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let path = env::temp_dir().join(format!("fundloop-attribute-{}-{number}", process::id()));
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path)?;
    Ok((path, Mutex::new(file)))
}
