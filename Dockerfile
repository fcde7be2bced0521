# GlioZoo on a processor: docker build -t gliozoo . && docker run --rm -v "$PWD:/work" gliozoo bench unet
FROM python:3.12-slim
WORKDIR /opt/gliozoo
COPY setup.cfg pyproject.toml README.md LICENSE locked.txt ./
COPY zoo zoo
COPY data_pipeline data_pipeline
COPY benchmarks benchmarks
RUN pip install --no-cache-dir --constraint locked.txt . \
 && useradd --create-home --uid 1000 gliozoo \
 && mkdir /work \
 && chown gliozoo /work
USER gliozoo
WORKDIR /work
VOLUME /work
ENTRYPOINT ["gliozoo"]
CMD ["--help"]
